// SPDX-License-Identifier: Apache-2.0

import Model
import TestSupport
import Testing

@testable import StateStore

@Suite("Leases")
struct LeaseRepositoryTests {
    private func acquire(_ fixture: Fixture, _ owner: String) async throws -> Int? {
        try await fixture.store.write(.relaxed) { try $0.leases.acquire("reaper", owner: owner, for: .seconds(30)) }
    }

    @Test(
        "a lease has one owner until it expires or is given back, and its fence grows with every change of owner",
        arguments: Driver.allCases)
    func election(driver: Driver) async throws {
        try await Fixture.with(driver) { fixture in
            #expect(try await fixture.store.read { try $0.leases.find("reaper") } == nil)
            #expect(try await acquire(fixture, "a") == 1)
            fixture.clock.advance(by: .seconds(20))
            #expect(try await acquire(fixture, "b") == nil)
            #expect(try await acquire(fixture, "a") == 1)
            fixture.clock.advance(by: .seconds(29))
            #expect(try await acquire(fixture, "b") == nil)
            fixture.clock.advance(by: .seconds(1))
            let expired = try #require(try await fixture.store.read { try $0.leases.find("reaper") })
            #expect(expired == LeaseRecord(name: "reaper", owner: "a", fence: 1, expires: fixture.clock.now))
            #expect(try await acquire(fixture, "b") == 2)
            #expect(try await acquire(fixture, "a") == nil)
            try await fixture.store.write(.relaxed) { try $0.leases.release("reaper", owner: "a") }
            #expect(try await acquire(fixture, "a") == nil)
            try await fixture.store.write(.relaxed) { try $0.leases.release("reaper", owner: "b") }
            #expect(try await fixture.store.read { try $0.leases.find("reaper") } == nil)
            #expect(try await fixture.store.read { try $0.leases.all() } == [])
            // Also the same owner: what it did under its old fence may have been done by another since.
            #expect(try await acquire(fixture, "b") == 3)
            #expect(try await fixture.store.read { try $0.leases.all().map(\.name) } == ["reaper"])
        }
    }

    @Test("of many that want a lease at once one gets it", arguments: Driver.allCases)
    func race(driver: Driver) async throws {
        try await Fixture.with(driver) { fixture in
            let fences = try await withThrowingTaskGroup(of: Int?.self) { group in
                for number in 0..<16 { group.addTask { try await acquire(fixture, "owner \(number)") } }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(fences.compactMap(\.self) == [1])
        }
    }

    @Test("the database's time stands still inside a transaction", arguments: Driver.allCases)
    func time(driver: Driver) async throws {
        try await Fixture.with(driver) { fixture in
            let times = try await fixture.store.read { transaction in
                let first = try transaction.now
                fixture.clock.advance(by: .seconds(1))
                return [first, try transaction.now]
            }
            #expect(times == [Fixture.start, Fixture.start])
            #expect(try await fixture.store.read { try $0.now } == Fixture.start + .seconds(1))
        }
    }
}
