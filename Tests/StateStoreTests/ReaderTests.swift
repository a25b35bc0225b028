// SPDX-License-Identifier: Apache-2.0

import Dispatch
import Foundation
import Synchronization
import Testing

@testable import StateStore

@Suite("Reading connections")
struct ReaderTests {
    @Test("every kind of value goes in and comes out as it was", .timeLimit(.minutes(1)))
    func values() async throws {
        try await Fixture.with { fixture async throws in
            let values: [SQLValue] = [
                nil, .int(.max), .int(.min), .double(-0.5), "", "text", .text("\u{1F6A2} é"),
                .text(String(repeating: "long ", count: 10_000)),
            ]
            let marks = values.map { _ in "?" }.joined(separator: ", ")
            try await fixture.sqlite.withReader { connection throws in
                // Twice: the second time with the statement that the first prepared.
                for _ in 0..<2 {
                    let rows = try connection.query("SELECT \(marks)", values) { row in
                        values.indices.map(row.value)
                    }
                    #expect(rows == [values])
                }
                let kinds = try connection.first("SELECT x'00', NULL, 1", []) { row in (0..<3).map(row.kind) }
                #expect(kinds == [.other, .null, .int])
            }
        }
    }

    @Test("a text with a zero byte equals no stored text, and too few values are refused")
    func binding() async throws {
        try await Fixture.with { fixture async throws in
            try await fixture.sqlite.withReader { connection throws in
                let equal = try connection.first("SELECT 'a' = ?", [.text("a\u{0}b")]) { $0.value(0) }
                #expect(equal == 0)
                #expect(throws: StateStoreError.self) { try connection.query("SELECT ?, ?", [1]) { _ in true } }
            }
        }
    }

    @Test("a failed statement and a failed body leave the connection ready for the next read")
    func failures() async throws {
        try await Fixture.with { fixture async throws in
            for _ in 0..<8 {
                await #expect {
                    try await fixture.sqlite.withReader {
                        try $0.query("SELECT nothing FROM nowhere", []) { _ in true }
                    }
                } throws: { has(.schema)($0) }
                await #expect {
                    try await fixture.sqlite.withReader { connection in
                        try connection.query("SELECT id FROM datastores", []) { _ in
                            throw StateStoreError(.notFound, "left in the middle of a row")
                        }
                    }
                } throws: { has(.notFound)($0) }
            }
            // No snapshot was left behind, or a new row would not be seen.
            try await fixture.store.write(.relaxed) { try $0.instances.insert(Fixture.instance("i1")) }
            for _ in 0..<8 { #expect(try await fixture.store.read { try $0.instances.all().count } == 1) }
        }
    }

    @Test("a table made after a connection prepared its statements is read by it")
    func changedSchema() async throws {
        try await Fixture.with { fixture async throws in
            let count = "SELECT COUNT(*) FROM pragma_table_info('datastores')"
            let all = "SELECT * FROM datastores"
            let before = try await fixture.sqlite.withReader { connection in
                _ = try connection.query(all, []) { $0.value(0) }
                return try connection.first(count, []) { $0.value(0) }
            }
            guard case .int(let width)? = before else {
                Issue.record("a table has columns")
                return
            }
            _ = try await fixture.sqlite.withWriter(.relaxed) { connection in
                try connection.execute("ALTER TABLE datastores ADD COLUMN extra TEXT DEFAULT 'new'", [])
            }
            for _ in 0..<8 {
                let last = try await fixture.sqlite.withReader { try $0.first(all, []) { $0.value(Int(width)) } }
                #expect(last == "new")
            }
        }
    }

    @Test("closing waits for a read that is going on; reads that come too late are told", .timeLimit(.minutes(1)))
    func closing() async throws {
        try await Fixture.with { fixture async throws in
            let (entered, entry) = AsyncStream<Void>.makeStream()
            let release = DispatchSemaphore(value: 0)
            async let count = fixture.store.read { transaction throws in
                entry.yield()
                #expect(release.wait(timeout: .now() + 5) == .success)
                return try transaction.datastores.all().count
            }
            for await _ in entered { break }
            async let closed: Void = fixture.store.close()
            release.signal()
            #expect(try await count == 1)
            await closed
            #expect(!FileManager.default.fileExists(atPath: fixture.path + "-wal"))
            await #expect {
                try await fixture.store.read { try $0.datastores.all().count }
            } throws: { has(.unavailable)($0) }
        }
    }

    @Test("a connection that cannot be opened fails its read alone, and is tried again", .timeLimit(.minutes(1)))
    func opening() async throws {
        try await Fixture.with { fixture async throws in
            let opened = Mutex(0)
            let threads = ConnectionThreads(count: 1) { () throws(StateStoreError) in
                let count = opened.withLock { count in
                    count += 1
                    return count
                }
                if count == 1 { throw StateStoreError(.unavailable, "no descriptor is free") }
                return try SQLiteReader(path: fixture.path, busyTimeout: .seconds(1))
            }
            func read() async throws -> Int {
                try await withCheckedThrowingContinuation { continuation in
                    threads.run { reader in
                        continuation.resume(
                            with: Result {
                                try reader().snapshot { try $0.query("SELECT id FROM datastores", []) { _ in 1 }.count }
                            })
                    }
                }
            }
            await #expect { try await read() } throws: { has(.unavailable)($0) }
            #expect(try await read() == 1)
            #expect(try await read() == 1)
            #expect(opened.withLock { $0 } == 2)
            await withCheckedContinuation { continuation in threads.end { continuation.resume() } }
            await #expect { try await read() } throws: { has(.unavailable)($0) }
            await withCheckedContinuation { continuation in threads.end { continuation.resume() } }
        }
    }

    @Test("a database that is not there is not made by reading")
    func missing() async throws {
        try await Fixture.with { fixture async throws in
            let path = fixture.path + ".other"
            #expect { _ = try SQLiteReader(path: path, busyTimeout: .zero) } throws: { has(.unavailable)($0) }
            #expect(!FileManager.default.fileExists(atPath: path))
        }
    }
}
