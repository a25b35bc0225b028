// SPDX-License-Identifier: Apache-2.0

import Foundation
import Model
import TestSupport
import Testing

@testable import StateStore

@Suite("The state database's file")
struct DatabaseFileTests {
    private func mode(_ path: String) throws -> Int? {
        try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
    }

    @Test("file, log and index are 0600, directories made for them 0700, existing ones keep their mode")
    func modes() async throws {
        try await withTemporaryDirectory { directory in
            try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: directory)
            let path = directory + "/a/b/trove.db"
            let store = try Fixture.open(path)
            try await store.write(.relaxed) { try $0.ledger.add([]) }
            for suffix in ["", "-wal", "-shm"] { #expect(try mode(path + suffix) == 0o600) }
            #expect(try mode(directory + "/a/b") == 0o700)
            #expect(try mode(directory + "/a") == 0o700)
            #expect(try mode(directory) == 0o755)
            await store.close()
        }
    }

    @Test("a file that was open to others is closed to them")
    func tightened() async throws {
        try await withTemporaryDirectory { directory in
            let path = directory + "/trove.db"
            await (try Fixture.open(path)).close()
            try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: path)
            await (try Fixture.open(path)).close()
            #expect(try mode(path) == 0o600)
        }
    }

    @Test("closing copies the log into the database and removes it")
    func checkpoint() async throws {
        try await Fixture.with { fixture in
            try await fixture.store.write(.relaxed) { try $0.instances.insert(Fixture.instance("i1")) }
            await fixture.store.close()
            #expect(!FileManager.default.fileExists(atPath: fixture.path + "-wal"))
            let again = try Fixture.open(fixture.path)
            #expect(try await again.read { try $0.instances.find("i1") } == Fixture.stored("i1"))
            await again.close()
        }
    }

    @Test(
        "what was committed is there when the process dies without closing", arguments: [Durability.durable, .relaxed])
    func crash(durability: Durability) async throws {
        try await Fixture.with { fixture in
            try await fixture.store.write(durability) { try $0.instances.insert(Fixture.instance("i1")) }
            // The files as a kill leaves them: log not copied, nothing closed. The index is made anew from the log.
            let copy = fixture.path + ".copy"
            for suffix in ["", "-wal"] {
                try FileManager.default.copyItem(atPath: fixture.path + suffix, toPath: copy + suffix)
            }
            let recovered = try Fixture.open(copy)
            #expect(try await recovered.read { try $0.instances.find("i1") } == Fixture.stored("i1"))
            await recovered.close()
        }
    }

    @Test("a file that is no database is corrupt")
    func garbage() async throws {
        try await withTemporaryDirectory { directory in
            let path = directory + "/trove.db"
            try Data(repeating: 0x41, count: 8192).write(to: URL(fileURLWithPath: path))
            #expect { try Fixture.open(path) } throws: { has(.corrupt)($0) }
        }
    }

    @Test("damaged pages are corrupt, not a wrong answer")
    func damage() async throws {
        try await Fixture.with { fixture in
            try await fixture.store.write(.relaxed) { transaction in
                for number in 0..<200 { try transaction.instances.insert(Fixture.instance("i\(number)")) }
            }
            await fixture.store.close()
            let handle = try FileHandle(forUpdating: URL(fileURLWithPath: fixture.path))
            let size = try handle.seekToEnd()
            // Page 1 holds the header; the tables' roots follow it.
            try handle.seek(toOffset: 4096)
            try handle.write(contentsOf: Data(repeating: 0xA5, count: Int(size) - 4096))
            try handle.close()
            await #expect {
                let store = try Fixture.open(fixture.path)
                _ = try await store.read { try $0.instances.all() }
            } throws: { has(.corrupt)($0) }
        }
    }

    @Test("a value of the wrong type is corrupt, not a trap")
    func wrongType() async throws {
        try await Fixture.with { fixture in
            try await fixture.store.write(.relaxed) { try $0.instances.insert(Fixture.instance("i1")) }
            for (column, value) in [("plugins", "'{\"a\":'"), ("task_id", "200")] {
                _ = try await fixture.sqlite.withWriter(.relaxed) { connection in
                    try connection.execute("UPDATE instances SET \(column) = \(value)", [])
                }
                await #expect {
                    try await fixture.store.read { try $0.instances.find("i1") }
                } throws: { has(.corrupt)($0) }
            }
        }
    }

    @Test("a path that cannot be a file is unavailable and named")
    func impossiblePath() async throws {
        try await withTemporaryDirectory { directory in
            #expect {
                try Fixture.open(directory)
            } throws: { error in
                has(.unavailable)(error) && (error as? StateStoreError)?.message.contains(directory) == true
            }
        }
    }
}

extension Fixture {
    /// `instance` as it reads back: the task's start is filled in.
    static func stored(_ id: String) -> InstanceRecord {
        var record = instance(id)
        record.taskStarted = record.created
        return record
    }
}
