// SPDX-License-Identifier: Apache-2.0

import Foundation
import Synchronization
import TestSupport
import Testing

@testable import ObjectStore

@Suite("Sealing a large stream", .serialized, .timeLimit(.minutes(2)))
struct SealMemoryTests {
    /// Resident bytes of this process. Source: proc(5), "statm".
    private static var residentBytes: Int {
        let text = (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8)) ?? ""
        return (text.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0) * 4096
    }

    @Test("memory does not grow with the stream, in either direction")
    func memory() async {
        // In a child, where no other test takes memory at the same time.
        await #expect(processExitsWith: .success) {
            let growth = try await withTemporaryDirectory {
                try await SealMemoryTests.growth(sealing: 200 << 20, in: $0)
            }
            exit(growth < 24 << 20 ? EXIT_SUCCESS : EXIT_FAILURE)
        }
    }

    /// By how many bytes this process grows at most while a stream is sealed and unsealed.
    private static func growth(sealing total: Int, in path: String) async throws -> Int {
        let store = DirectoryObjectStore(root: path)
        let pipe = PipeEnds()
        defer { close(pipe.reading) }
        try pipe.feed(Sample.semiCompressible(4 << 20), total: total)
        let watch = Watch(before: residentBytes)
        let sink = try store.create("p1/b1")
        let result = try await BackupSeal.seal(
            inputFD: pipe.reading, sink: sink, backupID: "b1", dataKey: Sample.key, wrappedKey: [],
            progress: { _ in watch.look(residentBytes) })
        try sink.commit()
        let null = open("/dev/null", O_WRONLY)
        defer { close(null) }
        let count = try await BackupSeal.unseal(
            source: try store.open("p1/b1"), backupID: "b1", dataKey: Sample.key, outputFD: null,
            progress: { _ in watch.look(residentBytes) })
        guard result.plainBytes == total, count == total else { return .max }
        return watch.growth
    }

    /// Seals the file TROVE_SEAL_INPUT into TROVE_SEAL_OUTPUT, to be compared with other tools on the same data.
    @Test("throughput on a given file", .enabled(if: ProcessInfo.processInfo.environment["TROVE_SEAL_INPUT"] != nil))
    func throughput() async throws {
        let environment = ProcessInfo.processInfo.environment
        let input = open(environment["TROVE_SEAL_INPUT"] ?? "", O_RDONLY)
        defer { close(input) }
        let store = DirectoryObjectStore(root: environment["TROVE_SEAL_OUTPUT"] ?? "/tmp/trove-seal")
        let sink = try store.create("p1/b1")
        let start = ContinuousClock.now
        let result = try await BackupSeal.seal(
            inputFD: input, sink: sink, backupID: "b1", dataKey: Sample.key, wrappedKey: [])
        let sealing = ContinuousClock.now - start
        try sink.commit()
        let whole = ContinuousClock.now - start
        print("sealed \(result.plainBytes) bytes to \(result.sealedBytes) in \(sealing), with commit in \(whole)")
        try store.delete("p1/b1")
    }

    private final class Watch: Sendable {
        private let before: Int
        private let highest: Atomic<Int>

        init(before: Int) {
            self.before = before
            highest = Atomic(before)
        }

        func look(_ bytes: Int) { highest.max(bytes, ordering: .relaxed) }

        var growth: Int { highest.load(ordering: .relaxed) - before }
    }
}
