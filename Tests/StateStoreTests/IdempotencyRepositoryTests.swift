// SPDX-License-Identifier: Apache-2.0

import Model
import TestSupport
import Testing

@testable import StateStore

@Suite("Idempotency keys in the state store")
struct IdempotencyRepositoryTests {
    private static func claim(_ owner: String, id: String = "k", digest: String = "d") -> IdempotencyClaim {
        IdempotencyClaim(
            id: id, projectID: "p", path: "/instances/" + String(repeating: "x", count: 300), requestDigest: digest,
            owner: owner, lease: .seconds(60), keptFor: .seconds(3600))
    }

    private func claim(_ fixture: Fixture, _ claim: IdempotencyClaim) async throws -> IdempotencyOutcome {
        try await fixture.store.write(.relaxed) { try $0.idempotencyKeys.claim(claim) }
    }

    @Test("a key is claimed, runs, and is done; then only its request gets the answer", arguments: Driver.allCases)
    func life(driver: Driver) async throws {
        try await Fixture.with(driver) { (fixture: Fixture) async throws -> Void in
            #expect(try await claim(fixture, Self.claim("a")) == .claimed)
            #expect(try await claim(fixture, Self.claim("b")) == .running)
            #expect(try await claim(fixture, Self.claim("b", digest: "e")) == .otherRequest)
            try await fixture.store.write(.relaxed) { transaction in
                let keys = transaction.idempotencyKeys
                try keys.accept(id: "k", owner: "a")
                try keys.accept(id: "k", owner: "a")
                try keys.finish(id: "k", owner: "b", status: 500, answer: "no")
                try keys.finish(id: "k", owner: "a", status: 202, answer: "sealed")
                try keys.finish(id: "k", owner: "a", status: 400, answer: "late")
                try keys.release(id: "k", owner: "a")
            }
            #expect(try await claim(fixture, Self.claim("b")) == .done(status: 202, answer: "sealed"))
            #expect(try await claim(fixture, Self.claim("b", digest: "e")) == .otherRequest)
            fixture.clock.advance(by: .seconds(3600))
            #expect(try await claim(fixture, Self.claim("b", digest: "e")) == .claimed)
            #expect(try await claim(fixture, Self.claim("a", digest: "e")) == .running)
        }
    }

    @Test("a key that is given back is free, unless something was changed under it", arguments: Driver.allCases)
    func release(driver: Driver) async throws {
        try await Fixture.with(driver) { (fixture: Fixture) async throws -> Void in
            #expect(try await claim(fixture, Self.claim("a")) == .claimed)
            try await fixture.store.write(.relaxed) { try $0.idempotencyKeys.release(id: "k", owner: "b") }
            #expect(try await claim(fixture, Self.claim("b")) == .running)
            try await fixture.store.write(.relaxed) { try $0.idempotencyKeys.release(id: "k", owner: "a") }
            #expect(try await claim(fixture, Self.claim("b")) == .claimed)
            try await fixture.store.write(.relaxed) { try $0.idempotencyKeys.accept(id: "k", owner: "b") }
            try await fixture.store.write(.relaxed) { try $0.idempotencyKeys.release(id: "k", owner: "b") }
            #expect(try await claim(fixture, Self.claim("c")) == .answerLost)
        }
    }

    @Test("of many that claim a key at once one gets it", arguments: Driver.allCases)
    func race(driver: Driver) async throws {
        try await Fixture.with(driver) { (fixture: Fixture) async throws -> Void in
            let outcomes = try await withThrowingTaskGroup(of: IdempotencyOutcome.self) { group in
                for number in 0..<16 { group.addTask { try await claim(fixture, Self.claim("owner \(number)")) } }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(outcomes.count { $0 == .claimed } == 1 && outcomes.count { $0 == .running } == 15)
        }
    }

    @Test("old keys are removed in batches", arguments: Driver.allCases)
    func purge(driver: Driver) async throws {
        try await Fixture.with(driver) { (fixture: Fixture) async throws -> Void in
            for number in 0..<5 {
                #expect(try await claim(fixture, Self.claim("a", id: "k\(number)")) == .claimed)
                fixture.clock.advance(by: .seconds(1))
            }
            try await fixture.store.write(.relaxed) { transaction throws -> Void in
                let keys = transaction.idempotencyKeys
                #expect(try keys.purge(before: Fixture.start + .seconds(3), limit: 2) == 2)
                #expect(try keys.purge(before: Fixture.start + .seconds(3), limit: 2) == 1)
                #expect(try keys.purge(before: Fixture.start + .seconds(3), limit: 2) == 0)
                #expect(try keys.claim(Self.claim("b", id: "k3")) == .running)
            }
        }
    }
}
