// SPDX-License-Identifier: Apache-2.0

import Dispatch
import Model
import Testing

@testable import StateStore

@Suite("Transactions")
struct TransactionTests {
    private struct Unrelated: Error {}

    @Test("a body that throws leaves nothing and throws its own error", arguments: Driver.allCases)
    func rollback(driver: Driver) async throws {
        try await Fixture.with(driver) { fixture in
            for durability in [Durability.durable, .relaxed] {
                await #expect(throws: Unrelated.self) {
                    try await fixture.store.write(durability) { transaction in
                        try transaction.instances.insert(Fixture.instance("i1"))
                        try transaction.journal.insert(Fixture.operation("o1", on: "i1"))
                        throw Unrelated()
                    }
                }
            }
            try await fixture.store.read { transaction throws in
                #expect(try transaction.instances.all().isEmpty)
                #expect(try transaction.journal.live(resourceID: nil).isEmpty)
            }
        }
    }

    @Test("a caught constraint failure inside a body undoes that statement alone", arguments: Driver.allCases)
    func caughtFailure(driver: Driver) async throws {
        try await Fixture.with(driver) { fixture in
            try await fixture.store.write(.relaxed) { transaction in
                try transaction.instances.insert(Fixture.instance("i1"))
                #expect(throws: StateStoreError.self) { try transaction.instances.insert(Fixture.instance("i1")) }
                try transaction.instances.insert(Fixture.instance("i2"))
            }
            #expect(try await fixture.store.read { try $0.instances.all().map(\.id) } == ["i1", "i2"])
        }
    }

    @Test("a read cannot write", arguments: Driver.allCases)
    func readOnly(driver: Driver) async throws {
        try await Fixture.with(driver) { fixture in
            await #expect {
                try await fixture.store.read { try $0.instances.insert(Fixture.instance("i1")) }
            } throws: { has(.unavailable)($0) }
            let rows = try await fixture.store.read { try $0.instances.all() }
            #expect(rows.isEmpty)
        }
    }

    @Test("a body's optional result comes back as it is", arguments: Driver.allCases)
    func optionalResult(driver: Driver) async throws {
        try await Fixture.with(driver) { fixture in
            let nothing: String? = try await fixture.store.write(.relaxed) { _ in nil }
            #expect(nothing == nil)
        }
    }

    @Test("a read sees one snapshot while a write commits", arguments: Driver.allCases)
    func snapshot(driver: Driver) async throws {
        try await Fixture.with(driver) { fixture in
            let (entered, entry) = AsyncStream<Void>.makeStream()
            let release = DispatchSemaphore(value: 0)
            async let counts = fixture.store.read { transaction throws in
                let before = try transaction.instances.all().count
                entry.yield()
                #expect(release.wait(timeout: .now() + 5) == .success)
                return [before, try transaction.instances.all().count]
            }
            for await _ in entered { break }
            try await fixture.store.write(.durable) { try $0.instances.insert(Fixture.instance("i1")) }
            release.signal()
            #expect(try await counts == [0, 0])
            #expect(try await fixture.store.read { try $0.instances.all().count } == 1)
        }
    }

    @Test("a read does not wait for a write that is going on, and does not see it", arguments: Driver.allCases)
    func readDuringWrite(driver: Driver) async throws {
        try await Fixture.with(driver) { fixture in
            let (entered, entry) = AsyncStream<Void>.makeStream()
            let release = DispatchSemaphore(value: 0)
            async let written: Void = fixture.store.write(.relaxed) { transaction in
                try transaction.instances.insert(Fixture.instance("i1"))
                entry.yield()
                #expect(release.wait(timeout: .now() + 5) == .success)
            }
            for await _ in entered { break }
            let during = try await fixture.store.read { try $0.instances.all().count }
            release.signal()
            try await written
            #expect(during == 0)
            #expect(try await fixture.store.read { try $0.instances.all().count } == 1)
        }
    }

    @Test("reads beyond the number of connections wait their turn and all come back", arguments: Driver.allCases)
    func manyReads(driver: Driver) async throws {
        try await Fixture.with(driver) { fixture in
            let total = try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<200 {
                    group.addTask { try await fixture.store.read { try $0.datastores.all().count } }
                }
                return try await group.reduce(0, +)
            }
            #expect(total == 200)
        }
    }

    @Test("a durable transaction synchronises the log at its commit, a relaxed one does not")
    func durability() async throws {
        try await Fixture.with { fixture in
            for (durability, expected) in [(Durability.durable, 2), (.relaxed, 1), (.durable, 2)] {
                let level = try await fixture.sqlite.withWriter(durability) { connection in
                    try connection.first("PRAGMA synchronous", []) { $0.value(0) }
                }
                #expect(level == SQLValue(expected))
            }
            let mode = try await fixture.sqlite.withReader { connection in
                try connection.first("PRAGMA journal_mode", []) { $0.value(0) }
            }
            #expect(mode == "wal")
        }
    }

    @Test("a write is recorded although its task was cancelled", arguments: Driver.allCases)
    func cancellation(driver: Driver) async throws {
        try await Fixture.with(driver) { fixture in
            let task = Task {
                withUnsafeCurrentTask { $0?.cancel() }
                try await fixture.store.write(.durable) { try $0.instances.insert(Fixture.instance("i1")) }
            }
            try await task.value
            #expect(try await fixture.store.read { try $0.instances.find("i1") } != nil)
        }
    }

    @Test("a lock held by another process for too long is busy and can be retried")
    func busy() async throws {
        try await Fixture.with { fixture in
            let other = try Fixture.open(fixture.path)
            let (entered, entry) = AsyncStream<Void>.makeStream()
            let release = DispatchSemaphore(value: 0)
            async let held: Void = other.write(.relaxed) { _ in
                entry.yield()
                #expect(release.wait(timeout: .now() + 5) == .success)
            }
            for await _ in entered { break }
            await #expect {
                try await fixture.store.write(.relaxed) { try $0.instances.insert(Fixture.instance("i1")) }
            } throws: { has(.busy)($0) && ($0 as? StateStoreError)?.isRetryable == true }
            release.signal()
            try await held
            await other.close()
            try await fixture.store.write(.relaxed) { try $0.instances.insert(Fixture.instance("i1")) }
        }
    }

    @Test("a full file system is full, leaves nothing, and writing goes on when there is room")
    func full() async throws {
        try await Fixture.with { fixture in
            try await fixture.sqlite.withWriter(.relaxed) { connection in
                _ = try connection.query("PRAGMA max_page_count = 1", []) { _ in }
            }
            await #expect {
                try await fixture.store.write(.relaxed) { transaction in
                    for number in 0..<1000 { try transaction.instances.insert(Fixture.instance("i\(number)")) }
                }
            } throws: { has(.full)($0) }
            #expect(try await fixture.store.read { try $0.instances.all().isEmpty })
            try await fixture.sqlite.withWriter(.relaxed) { connection in
                _ = try connection.query("PRAGMA max_page_count = 100000", []) { _ in }
            }
            try await fixture.store.write(.relaxed) { try $0.instances.insert(Fixture.instance("i1")) }
        }
    }

    @Test("after closing everything is unavailable, and closing again is harmless", arguments: Driver.allCases)
    func closed(driver: Driver) async throws {
        try await Fixture.with(driver) { fixture in
            await fixture.store.close()
            await fixture.store.close()
            await #expect {
                try await fixture.store.read { try $0.instances.all() }
            } throws: { has(.unavailable)($0) }
            await #expect {
                try await fixture.store.write(.durable) { try $0.instances.insert(Fixture.instance("i1")) }
            } throws: { has(.unavailable)($0) }
        }
    }

    @Test("closing waits for a write that is going on")
    func closingWaits() async throws {
        try await Fixture.with { fixture in
            let (entered, entry) = AsyncStream<Void>.makeStream()
            let release = DispatchSemaphore(value: 0)
            async let written: Void = fixture.store.write(.durable) { transaction in
                entry.yield()
                #expect(release.wait(timeout: .now() + 5) == .success)
                try transaction.instances.insert(Fixture.instance("i1"))
            }
            for await _ in entered { break }
            async let closing: Void = fixture.store.close()
            release.signal()
            try await written
            await closing
            let again = try Fixture.open(fixture.path)
            #expect(try await again.read { try $0.instances.find("i1") } != nil)
            await again.close()
        }
    }
}
