// SPDX-License-Identifier: Apache-2.0

import Model
import TestSupport
import Testing

@testable import StateStore

@Suite("The journal")
struct JournalRepositoryTests {
    private let now = Fixture.start + .seconds(10)

    private func with(_ driver: Driver, _ body: (Fixture) async throws -> Void) async throws {
        try await Fixture.with(driver) { fixture in
            fixture.clock.set(now)
            try await body(fixture)
        }
    }

    @Test("rows are claimed oldest first, once each, with owner, lease and fence", arguments: Driver.allCases)
    func claiming(driver: Driver) async throws {
        try await with(driver) { [now] fixture in
            try await fixture.journal { journal in
                try journal.insert(Fixture.operation("o1", on: "i1", after: 5))
                try journal.insert(Fixture.operation("o2", on: "i2", after: 3))
            }
            let first = try #require(try await fixture.claim("worker"))
            // o1 was inserted first; clocks do not matter.
            #expect(first.id == "o1")
            #expect(first.state == .running)
            #expect(first.leaseOwner == "worker")
            #expect(first.leaseExpires == now + .seconds(30))
            #expect(first.fence == 1)
            #expect(first.host == nil)
            #expect(try await fixture.store.read { try $0.journal.find("o1") } == first)
            #expect(try await fixture.claim()?.id == "o2")
            #expect(try await fixture.claim() == nil)
        }
    }

    @Test(
        "rows that are not due, excluded, or behind a running row of their resource are passed over",
        arguments: Driver.allCases)
    func passedOver(driver: Driver) async throws {
        try await with(driver) { [now] fixture in
            try await fixture.journal { journal in
                var early = Fixture.operation("o1", on: "i1")
                early.notBefore = now + .seconds(60)
                try journal.insert(early)
                try journal.insert(Fixture.operation("o2", on: "i2"))
                try journal.insert(Fixture.operation("o3", on: "i3"))
                try journal.insert(Fixture.operation("o4", on: "i3"))
            }
            #expect(try await fixture.claim(excluding: ["i2"])?.id == "o3")
            #expect(try await fixture.claim(excluding: ["i2"]) == nil)
            #expect(try await fixture.claim()?.id == "o2")
            #expect(try await fixture.claim() == nil)
            try await fixture.journal { try $0.finish("o3", fence: 1, state: .done, error: nil, now: now) }
            #expect(try await fixture.claim()?.id == "o4")
            fixture.clock.set(now + .seconds(61))
            #expect(try await fixture.claim(excluding: ["i2", "i3"])?.id == "o1")
        }
    }

    @Test(
        "a lease that ran out is claimed by another, and the first one's writes are refused", arguments: Driver.allCases
    )
    func fencing(driver: Driver) async throws {
        try await with(driver) { [now] fixture in
            try await fixture.journal { try $0.insert(Fixture.operation("o1", on: "i1")) }
            #expect(try await fixture.claim("first")?.fence == 1)
            try await fixture.journal { try $0.renew("o1", fence: 1, until: now + .seconds(40)) }
            fixture.clock.set(now + .seconds(39))
            let claim = JournalLease(id: "o1", fence: 1, leaseExpires: now + .seconds(40))
            #expect(try await fixture.store.read { try $0.journal.expired() } == [])
            #expect(try await fixture.store.read { try $0.journal.held() } == [claim])
            #expect(try await fixture.claim("second") == nil)
            fixture.clock.set(now + .seconds(40))
            #expect(try await fixture.store.read { try $0.journal.expired() } == [claim])
            let second = try await fixture.claim("second", stealing: [claim])
            #expect(second?.leaseOwner == "second")
            #expect(second?.fence == 2)
            let stale: [@Sendable (any JournalRepository) throws -> Void] = [
                { try $0.renew("o1", fence: 1, until: now) },
                { try $0.record("o1", fence: 1, step: "s", isDone: true, scratch: [:], attempt: 1, now: now) },
                { try $0.postpone("o1", fence: 1, notBefore: now, error: nil, now: now) },
                { try $0.finish("o1", fence: 1, state: .done, error: nil, now: now) },
                { try $0.finish("o1", fence: 2, state: .ready, error: nil, now: now) },
            ]
            for write in stale {
                await #expect {
                    try await fixture.journal { try write($0) }
                } throws: { has(.conflict)($0) }
            }
            #expect(try await fixture.store.read { try $0.journal.find("o1") } == second)
            await #expect {
                try await fixture.journal { try $0.renew("none", fence: 1, until: now) }
            } throws: { has(.notFound)($0) }
        }
    }

    @Test(
        "a claim that is known to be dead is taken over, though a clock that was put back says that it holds",
        arguments: Driver.allCases)
    func clockPutBack(driver: Driver) async throws {
        try await with(driver) { [now] fixture in
            try await fixture.journal { journal in
                try journal.insert(Fixture.operation("o1", on: "i1"))
                var later = Fixture.operation("o2", on: "i2")
                later.notBefore = now + .seconds(20)
                try journal.insert(later)
            }
            _ = try await fixture.claim("first")
            fixture.clock.set(now + .seconds(-3600))
            let dead = try await fixture.store.read { try $0.journal.held() }
            #expect(dead.map(\.id) == ["o1"])
            #expect(try await fixture.claim("second") == nil)
            #expect(try await fixture.claim("second", stealing: dead)?.id == "o1")
            try await fixture.journal { try $0.hasten(to: now + .seconds(-3540)) }
            #expect(try await fixture.claim("second") == nil)
            fixture.clock.set(now + .seconds(-3540))
            #expect(try await fixture.claim("second")?.id == "o2")
        }
    }

    @Test(
        "an expired lease alone takes nothing over: the very claim must be known to be dead", arguments: Driver.allCases
    )
    func stealing(driver: Driver) async throws {
        try await with(driver) { [now] fixture in
            try await fixture.journal { journal in
                try journal.insert(Fixture.operation("o1", on: "i1"))
                try journal.insert(Fixture.operation("o2", on: "i1"))
            }
            _ = try await fixture.claim("first")
            // As after a clock that was put forward: by it every lease has run out.
            fixture.clock.advance(by: .seconds(3600))
            let end = now + .seconds(30)
            let others = [
                JournalLease(id: "o1", fence: 2, leaseExpires: end),
                JournalLease(id: "o1", fence: 1, leaseExpires: end + .microseconds(1)),
                JournalLease(id: "o2", fence: 1, leaseExpires: end),
            ]
            #expect(try await fixture.claim("second") == nil)
            #expect(try await fixture.claim("second", stealing: others) == nil)
            try await fixture.journal { try $0.renew("o1", fence: 1, until: end + .seconds(1)) }
            let dead = JournalLease(id: "o1", fence: 1, leaseExpires: end)
            #expect(try await fixture.claim("second", stealing: others + [dead]) == nil)
            let renewed = try await fixture.store.read { try $0.journal.expired() }
            #expect(try await fixture.claim("second", stealing: others + renewed)?.id == "o1")
            #expect(try await fixture.claim("second", stealing: renewed) == nil)
        }
    }

    @Test(
        "a claim pins the row to its host, and other hosts and none pass it over from then on",
        arguments: Driver.allCases)
    func hosts(driver: Driver) async throws {
        try await with(driver) { [now] fixture in
            try await fixture.journal { journal in
                try journal.insert(Fixture.operation("o1", on: "i1"))
                var pinned = Fixture.operation("o2", on: "i2")
                pinned.host = "b"
                try journal.insert(pinned)
            }
            #expect(try await fixture.claim("one", host: "a")?.host == "a")
            #expect(try await fixture.claim("one", host: "a") == nil)
            #expect(try await fixture.claim("none") == nil)
            try await fixture.journal { try $0.postpone("o1", fence: 1, notBefore: now, error: nil, now: now) }
            #expect(try await fixture.claim("two", host: "b")?.id == "o2")
            #expect(try await fixture.claim("two", host: "b") == nil)
            #expect(try await fixture.claim("none") == nil)
            let due = try await fixture.store.read { transaction in
                try ["a", "b", nil].map { try transaction.journal.nextDue(host: $0) }
            }
            #expect(due == [now, now + .seconds(30), nil])
            #expect(try await fixture.claim("one", host: "a")?.fence == 2)
        }
    }

    @Test("a step's progress, a postponement and the end are recorded", arguments: Driver.allCases)
    func progress(driver: Driver) async throws {
        try await with(driver) { [now] fixture in
            try await fixture.journal { try $0.insert(Fixture.operation("o1", on: "i1")) }
            _ = try await fixture.claim()
            let again = now + .seconds(8)
            try await fixture.journal { journal in
                try journal.record(
                    "o1", fence: 1, step: "boot", isDone: true, scratch: ["server": "s1"], attempt: 3, now: now)
                var row = try #require(try journal.find("o1"))
                #expect(row.step == "boot")
                #expect(row.stepIsDone)
                #expect(row.scratch == ["server": "s1"])
                #expect(row.attempt == 3)

                try journal.postpone("o1", fence: 1, notBefore: again, error: "busy", now: now)
                row = try #require(try journal.find("o1"))
                #expect(row.state == .ready)
                #expect(row.notBefore == again)
                #expect(row.error == "busy")
                #expect(row.leaseOwner == nil)
                #expect(row.leaseExpires == nil)
            }
            #expect(try await fixture.claim() == nil)
            fixture.clock.set(again)
            #expect(try await fixture.claim()?.fence == 2)
            try await fixture.journal { journal in
                try journal.finish("o1", fence: 2, state: .failed, error: "no more", now: again)
                let row = try #require(try journal.find("o1"))
                #expect(row.state == .failed)
                #expect(row.error == "no more")
                #expect(row.leaseOwner == nil)
            }
            fixture.clock.set(again + .seconds(99))
            #expect(try await fixture.claim() == nil)
        }
    }

    @Test("no password outlives its operation", arguments: Driver.allCases)
    func secrets(driver: Driver) async throws {
        try await with(driver) { [now] fixture in
            for id in ["o1", "o2"] {
                try await fixture.journal { journal in
                    var row = Fixture.operation(id, on: id)
                    row.input = ["instance_id": "i1", "users": [["name": "u", "password": "hunter2"]]]
                    row.scratch = ["root_password": "hunter2"]
                    try journal.insert(row)
                }
                _ = try await fixture.claim()
            }
            try await fixture.journal { journal in
                try journal.finish("o1", fence: 1, state: .done, error: nil, now: now)
                try journal.scrubInput("o2", keeping: ["instance_id", "absent"])
                let finished = try journal.find("o1")
                #expect(finished?.input["users"]?.arrayValue?.first?["name"] == "u")
                #expect(finished?.input.text.contains("hunter2") == false)
                #expect(finished?.scratch.text.contains("hunter2") == false)
                #expect(try journal.find("o2")?.input == ["instance_id": "i1"])
            }
            await #expect {
                try await fixture.journal { try $0.scrubInput("none", keeping: []) }
            } throws: { has(.notFound)($0) }
        }
    }

    @Test("the next due time ignores rows that wait for another of their resource", arguments: Driver.allCases)
    func nextDue(driver: Driver) async throws {
        try await with(driver) { [now] fixture in
            func nextDue() async throws -> Timestamp? {
                try await fixture.store.read { try $0.journal.nextDue(host: nil) }
            }
            #expect(try await nextDue() == nil)
            try await fixture.journal { journal in
                try journal.insert(Fixture.operation("o1", on: "i1", after: 2))
                try journal.insert(Fixture.operation("o2", on: "i1", after: 1))
            }
            #expect(try await nextDue() == Fixture.start + .seconds(1))
            #expect(try await fixture.claim()?.id == "o1")
            #expect(try await nextDue() == now + .seconds(30))
            try await fixture.journal { try $0.finish("o1", fence: 1, state: .done, error: nil, now: now) }
            #expect(try await nextDue() == Fixture.start + .seconds(1))
        }
    }

    @Test("releasing gives an owner's rows back at once and fences it out", arguments: Driver.allCases)
    func release(driver: Driver) async throws {
        try await with(driver) { [now] fixture in
            try await fixture.journal { journal in
                for id in ["o1", "o2"] { try journal.insert(Fixture.operation(id, on: id)) }
            }
            _ = try await fixture.claim("mine")
            _ = try await fixture.claim("other")
            try await fixture.journal { try $0.release(owner: "mine") }
            await #expect {
                try await fixture.journal { try $0.renew("o1", fence: 1, until: now) }
            } throws: { has(.conflict)($0) }
            let again = try await fixture.claim("next")
            #expect(again?.id == "o1")
            #expect(again?.fence == 3)
            #expect(try await fixture.journal { try $0.find("o2")?.leaseOwner } == "other")
        }
    }

    @Test("live rows are those not finished, of one resource or all", arguments: Driver.allCases)
    func live(driver: Driver) async throws {
        try await with(driver) { [now] fixture in
            try await fixture.journal { journal in
                for id in ["o1", "o2", "o3"] {
                    try journal.insert(Fixture.operation(id, on: id == "o3" ? "i3" : "i1"))
                }
            }
            _ = try await fixture.claim()
            try await fixture.journal { journal in
                #expect(try journal.live(resourceID: nil).map(\.id) == ["o1", "o2", "o3"])
                try journal.finish("o1", fence: 1, state: .done, error: nil, now: now)
                #expect(try journal.live(resourceID: "i1").map(\.id) == ["o2"])
                #expect(try journal.live(resourceID: "i3").map(\.id) == ["o3"])
                #expect(try journal.live(resourceID: "i4").isEmpty)
            }
        }
    }

    @Test("of many concurrent claimers each row goes to exactly one", arguments: Driver.allCases)
    func concurrentClaims(driver: Driver) async throws {
        try await with(driver) { fixture in
            try await fixture.journal { journal in
                for number in 0..<20 { try journal.insert(Fixture.operation("o\(number)", on: "i\(number)")) }
            }
            let claimed = try await withThrowingTaskGroup(of: String?.self) { group in
                for worker in 0..<40 {
                    group.addTask { try await fixture.claim("w\(worker)")?.id }
                }
                return try await group.reduce(into: [String?]()) { $0.append($1) }
            }
            #expect(claimed.count == 40)
            #expect(claimed.compactMap(\.self).count == 20)
            #expect(Set(claimed.compactMap(\.self)).count == 20)
        }
    }
}
