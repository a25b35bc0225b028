// SPDX-License-Identifier: Apache-2.0

import CLinux
import Foundation
import Model
import Testing

@testable import PluginHost

@Suite("backup calls")
struct BackupSessionTests {
    private func withSession(_ body: (BackupSession) async throws -> Void) async throws {
        try await withPlugins { fixture in
            try fixture.install("copy", PluginSource.backup, provides: ["trove.backup/1"])
            let registry = try fixture.load(.guest, enabled: ["test.copy"])
            let session = try await BackupSession.open(
                registry, reference: "test.copy", config: [:], options: PluginFixture.options())
            try await body(session)
            await session.close()
            registry.shutdown()
        }
    }

    private func pipe() -> (input: Int32, output: Int32) {
        var ends: [Int32] = [-1, -1]
        #expect(clinux_pipe(&ends) == 0)
        return (ends[0], ends[1])
    }

    @Test("what backup writes, restore reads, through a pipe that is far smaller")
    func streams() async throws {
        try await withSession { (session) async throws in
            #expect(!session.isIncremental)
            let pipe = pipe()
            async let reading: Void = session.postRestore([:], PluginFixture.options())
            try await reading
            let drained = Drain(pipe.input)
            let result = try await session.backup(["type": "full"], outputFD: pipe.output, PluginFixture.options())
            close(pipe.output)
            #expect(result == ["position": ["at": 1]])
            #expect(drained.count() == 3_000_000)
        }
    }

    @Test(
        "a manifest that says other kinds of backups than the library is refused, naming both",
        arguments: [false, true])
    func kinds(_ makesIncrements: Bool) async throws {
        try await withPlugins { fixture in
            let macros = makesIncrements ? ["KINDS=3"] : []
            try fixture.install("copy", PluginSource.backup, provides: ["trove.backup/1"], macros: macros) {
                $0["backup_kinds"] = makesIncrements ? ["full"] : ["full", "incremental"]
            }
            let registry = try fixture.load(.guest, enabled: ["test.copy"])
            #expect(registry.plugins.isEmpty && registry.refusals.map(\.cause) == [.mismatch])
            let sides = ["full", "full, incremental"]
            let (manifest, library) = makesIncrements ? (sides[0], sides[1]) : (sides[1], sides[0])
            #expect(
                registry.refusals.first?.message
                    == "backup_kinds: the manifest says '\(manifest)', the library '\(library)'")
            try fixture.writeManifest("copy", provides: ["trove.backup/1"]) {
                $0["backup_kinds"] = makesIncrements ? ["full", "incremental"] : ["full"]
            }
            let right = try fixture.load(.guest, enabled: ["test.copy"])
            #expect(right.plugins.first?.description.makesIncrements == makesIncrements, "\(right.refusals)")
            right.shutdown()
        }
    }

    @Test("restore reads to the end of a file, and fails for a short one")
    func restore() async throws {
        try await withSession { (session) async throws in
            for (count, code) in [(3_000_000, nil), (5, PluginError.Code.invalidArgument)] {
                let file = clinux_memfd("test")
                #expect(ftruncate(file, off_t(count)) == 0)
                let error = await failure { () throws(PluginError) in
                    try await session.restore([:], inputFD: file, PluginFixture.options())
                }
                #expect(error?.code == code)
                close(file)
            }
        }
    }

    @Test("a writer that waits for its reader ends when the call is cancelled or the reader goes")
    func stops() async throws {
        try await withSession { (session) async throws in
            let full = pipe()
            let late = await failure { () throws(PluginError) in
                try await session.backup("endless", outputFD: full.output, PluginFixture.options(.milliseconds(100)))
            }
            #expect(late?.code == .timedOut)
            close(full.output)
            close(full.input)
            let gone = pipe()
            close(gone.input)
            let broken = await failure { () throws(PluginError) in
                try await session.backup("endless", outputFD: gone.output, PluginFixture.options())
            }
            #expect(broken?.code == .unavailable)
            close(gone.output)
            let closed = await failure { () throws(PluginError) in
                try await session.backup("full", outputFD: 9999, PluginFixture.options())
            }
            #expect(closed?.code == .invalidArgument)
        }
    }
}

/// Reads a descriptor to its end on a thread of its own.
private final class Drain: Sendable {
    private let total = ConditionLock<(count: Int, isOver: Bool)>((0, false))

    init(_ file: Int32) {
        _ = OwnThread.start("test-drain") { [total] in
            var buffer = [UInt8](repeating: 0, count: 1 << 16)
            while true {
                let count = read(file, &buffer, buffer.count)
                guard count > 0 else { break }
                total.update { $0.count += count }
            }
            close(file)
            total.update { $0.isOver = true }
        }
    }

    func count() -> Int { total.wait(until: .now + .seconds(10)) { $0.isOver ? $0.count : nil } ?? -1 }
}
