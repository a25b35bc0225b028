// SPDX-License-Identifier: Apache-2.0

import Model
import Testing

@testable import StateStore

@Suite("The journal")
struct JournalRepositoryTests {
    private let now = Fixture.start + .seconds(10)

    @Test("rows are claimed oldest first, once each, with owner, lease and fence")
    func claiming() async throws {
        try await Fixture.with { [now] fixture in
            let claims = try await fixture.store.write(.durable) { transaction in
                try transaction.journal.insert(Fixture.operation("o1", on: "i1", after: 5))
                try transaction.journal.insert(Fixture.operation("o2", on: "i2", after: 3))
                return try (0..<3).map { _ in
                    try transaction.journal.claim(owner: "worker", now: now, lease: .seconds(30), excluding: [])
                }
            }
            // o1 was inserted first; clocks do not matter.
            #expect(claims.map(\.?.id) == ["o1", "o2", nil])
            let first = try #require(claims[0])
            #expect(first.state == .running)
            #expect(first.leaseOwner == "worker")
            #expect(first.leaseExpires == now + .seconds(30))
            #expect(first.fence == 1)
            #expect(try await fixture.store.read { try $0.journal.find("o1") } == first)
        }
    }

    @Test("rows that are not due, excluded, or behind a running row of their resource are passed over")
    func passedOver() async throws {
        try await Fixture.with { [now] fixture in
            try await fixture.store.write(.relaxed) { transaction in
                let journal = transaction.journal
                var early = Fixture.operation("o1", on: "i1")
                early.notBefore = now + .seconds(60)
                try journal.insert(early)
                try journal.insert(Fixture.operation("o2", on: "i2"))
                try journal.insert(Fixture.operation("o3", on: "i3"))
                try journal.insert(Fixture.operation("o4", on: "i3"))
                func claim(at time: Timestamp, excluding: [String] = []) throws -> String? {
                    try journal.claim(owner: "w", now: time, lease: .seconds(30), excluding: excluding)?.id
                }
                #expect(try claim(at: now, excluding: ["i2"]) == "o3")
                #expect(try claim(at: now, excluding: ["i2"]) == nil)
                #expect(try claim(at: now) == "o2")
                #expect(try claim(at: now) == nil)
                try journal.finish("o3", fence: 1, state: .done, error: nil, now: now)
                #expect(try claim(at: now) == "o4")
                #expect(try claim(at: now + .seconds(61), excluding: ["i2", "i3"]) == "o1")
            }
        }
    }

    @Test("a lease that ran out is claimed by another, and the first one's writes are refused")
    func fencing() async throws {
        try await Fixture.with { [now] fixture in
            let second = try await fixture.store.write(.relaxed) { transaction in
                let journal = transaction.journal
                try journal.insert(Fixture.operation("o1", on: "i1"))
                let first = try journal.claim(owner: "first", now: now, lease: .seconds(30), excluding: [])
                #expect(first?.fence == 1)
                try journal.renew("o1", fence: 1, until: now + .seconds(40))
                #expect(
                    try journal.claim(owner: "second", now: now + .seconds(39), lease: .seconds(1), excluding: [])
                        == nil)
                return try journal.claim(owner: "second", now: now + .seconds(40), lease: .seconds(30), excluding: [])
            }
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
                    try await fixture.store.write(.relaxed) { try write($0.journal) }
                } throws: { has(.conflict)($0) }
            }
            #expect(try await fixture.store.read { try $0.journal.find("o1") } == second)
            await #expect {
                try await fixture.store.write(.relaxed) { try $0.journal.renew("none", fence: 1, until: now) }
            } throws: { has(.notFound)($0) }
        }
    }

    @Test("a step's progress, a postponement and the end are recorded")
    func progress() async throws {
        try await Fixture.with { [now] fixture in
            try await fixture.store.write(.relaxed) { transaction in
                let journal = transaction.journal
                try journal.insert(Fixture.operation("o1", on: "i1"))
                _ = try journal.claim(owner: "w", now: now, lease: .seconds(30), excluding: [])
                try journal.record(
                    "o1", fence: 1, step: "boot", isDone: true, scratch: ["server": "s1"], attempt: 3, now: now)
                var row = try #require(try journal.find("o1"))
                #expect(row.step == "boot")
                #expect(row.stepIsDone)
                #expect(row.scratch == ["server": "s1"])
                #expect(row.attempt == 3)

                let again = now + .seconds(8)
                try journal.postpone("o1", fence: 1, notBefore: again, error: "busy", now: now)
                row = try #require(try journal.find("o1"))
                #expect(row.state == .ready)
                #expect(row.notBefore == again)
                #expect(row.error == "busy")
                #expect(row.leaseOwner == nil)
                #expect(row.leaseExpires == nil)
                #expect(try journal.claim(owner: "w", now: now, lease: .seconds(30), excluding: []) == nil)

                #expect(try journal.claim(owner: "w", now: again, lease: .seconds(30), excluding: [])?.fence == 2)
                try journal.finish("o1", fence: 2, state: .failed, error: "no more", now: again)
                row = try #require(try journal.find("o1"))
                #expect(row.state == .failed)
                #expect(row.error == "no more")
                #expect(row.leaseOwner == nil)
                #expect(
                    try journal.claim(owner: "w", now: again + .seconds(99), lease: .seconds(1), excluding: []) == nil)
            }
        }
    }

    @Test("no password outlives its operation")
    func secrets() async throws {
        try await Fixture.with { [now] fixture in
            try await fixture.store.write(.durable) { transaction in
                let journal = transaction.journal
                for id in ["o1", "o2"] {
                    var row = Fixture.operation(id, on: id)
                    row.input = ["instance_id": "i1", "users": [["name": "u", "password": "hunter2"]]]
                    row.scratch = ["root_password": "hunter2"]
                    try journal.insert(row)
                    _ = try journal.claim(owner: "w", now: now, lease: .seconds(30), excluding: [])
                }
                try journal.finish("o1", fence: 1, state: .done, error: nil, now: now)
                try journal.scrubInput("o2", keeping: ["instance_id", "absent"])
                let finished = try journal.find("o1")
                #expect(finished?.input["users"]?.arrayValue?.first?["name"] == "u")
                #expect(finished?.input.text.contains("hunter2") == false)
                #expect(finished?.scratch.text.contains("hunter2") == false)
                #expect(try journal.find("o2")?.input == ["instance_id": "i1"])
            }
            await #expect {
                try await fixture.store.write(.relaxed) { try $0.journal.scrubInput("none", keeping: []) }
            } throws: { has(.notFound)($0) }
        }
    }

    @Test("the next due time ignores rows that wait for another of their resource")
    func nextDue() async throws {
        try await Fixture.with { [now] fixture in
            try await fixture.store.write(.relaxed) { transaction in
                let journal = transaction.journal
                #expect(try journal.nextDue() == nil)
                try journal.insert(Fixture.operation("o1", on: "i1", after: 2))
                try journal.insert(Fixture.operation("o2", on: "i1", after: 1))
                #expect(try journal.nextDue() == Fixture.start + .seconds(1))
                #expect(try journal.claim(owner: "w", now: now, lease: .seconds(30), excluding: [])?.id == "o1")
                #expect(try journal.nextDue() == now + .seconds(30))
                try journal.finish("o1", fence: 1, state: .done, error: nil, now: now)
                #expect(try journal.nextDue() == Fixture.start + .seconds(1))
            }
        }
    }

    @Test("releasing gives an owner's rows back at once and fences it out")
    func release() async throws {
        try await Fixture.with { [now] fixture in
            try await fixture.store.write(.relaxed) { transaction in
                let journal = transaction.journal
                for id in ["o1", "o2"] { try journal.insert(Fixture.operation(id, on: id)) }
                _ = try journal.claim(owner: "mine", now: now, lease: .seconds(30), excluding: [])
                _ = try journal.claim(owner: "other", now: now, lease: .seconds(30), excluding: [])
                try journal.release(owner: "mine")
                #expect(throws: StateStoreError.self) { try journal.renew("o1", fence: 1, until: now) }
                let again = try journal.claim(owner: "next", now: now, lease: .seconds(30), excluding: [])
                #expect(again?.id == "o1")
                #expect(again?.fence == 3)
                #expect(try journal.find("o2")?.leaseOwner == "other")
            }
        }
    }

    @Test("live rows are those not finished, of one resource or all")
    func live() async throws {
        try await Fixture.with { [now] fixture in
            try await fixture.store.write(.relaxed) { transaction in
                let journal = transaction.journal
                for id in ["o1", "o2", "o3"] {
                    try journal.insert(Fixture.operation(id, on: id == "o3" ? "i3" : "i1"))
                }
                _ = try journal.claim(owner: "w", now: now, lease: .seconds(30), excluding: [])
                #expect(try journal.live(resourceID: nil).map(\.id) == ["o1", "o2", "o3"])
                try journal.finish("o1", fence: 1, state: .done, error: nil, now: now)
                #expect(try journal.live(resourceID: "i1").map(\.id) == ["o2"])
                #expect(try journal.live(resourceID: "i3").map(\.id) == ["o3"])
                #expect(try journal.live(resourceID: "i4").isEmpty)
            }
        }
    }

    @Test("of many concurrent claimers each row goes to exactly one")
    func concurrentClaims() async throws {
        try await Fixture.with { [now] fixture in
            try await fixture.store.write(.relaxed) { transaction in
                for number in 0..<20 {
                    try transaction.journal.insert(Fixture.operation("o\(number)", on: "i\(number)"))
                }
            }
            let claimed = try await withThrowingTaskGroup(of: String?.self) { group in
                for worker in 0..<40 {
                    group.addTask {
                        try await fixture.store.write(.relaxed) { transaction in
                            try transaction.journal.claim(
                                owner: "w\(worker)", now: now, lease: .seconds(30), excluding: [])?.id
                        }
                    }
                }
                return try await group.reduce(into: [String?]()) { $0.append($1) }
            }
            #expect(claimed.count == 40)
            #expect(claimed.compactMap(\.self).count == 20)
            #expect(Set(claimed.compactMap(\.self)).count == 20)
        }
    }
}
