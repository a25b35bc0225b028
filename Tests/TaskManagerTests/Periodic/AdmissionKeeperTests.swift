// SPDX-License-Identifier: Apache-2.0

import Model
import StateStore
import TaskManager
import TestSupport
import Testing

@Suite("What API processes leave behind")
struct AdmissionKeeperTests {
    @Test("buckets that have leaked and keys that are a day old are removed, in more than one batch; the others stay")
    func sweep() async throws {
        let fixture = try EngineFixture()
        func claim(_ id: String) async throws -> IdempotencyOutcome {
            try await fixture.store.write(.relaxed) { transaction in
                try transaction.idempotencyKeys.claim(
                    IdempotencyClaim(
                        id: id, projectID: "p", path: "/instances", requestDigest: "d", owner: "o",
                        lease: .seconds(100_000), keptFor: .seconds(1_000_000)))
            }
        }
        func touch(_ verb: String) async throws {
            try await fixture.store.write(.relaxed) { transaction in
                var bucket = try transaction.rateBuckets.lock(projectID: "p", verb: verb)
                bucket.bucket.add(at: try transaction.now, limit: 60)
                try transaction.rateBuckets.save(bucket, projectID: "p", verb: verb)
            }
        }
        for number in 0..<(AdmissionKeeper.batch + 3) { #expect(try await claim("old \(number)") == .claimed) }
        try await touch("GET")
        fixture.clock.advance(by: .seconds(24 * 3600 + 1))
        #expect(try await claim("new") == .claimed)
        try await touch("POST")
        await AdmissionKeeper(store: fixture.store, logger: fixture.logger).sweep()
        let verbs = try await fixture.store.read { try $0.rateBuckets.all(projectID: "p").keys.sorted() }
        #expect(verbs == ["POST"])
        #expect(try await claim("new") == .running)
        for number in [0, AdmissionKeeper.batch + 2] { #expect(try await claim("old \(number)") == .claimed) }
    }
}
