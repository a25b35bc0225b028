// SPDX-License-Identifier: Apache-2.0

import Model
import Testing

@testable import StateStore

@Suite("Rate buckets in the state store")
struct RateBucketRepositoryTests {
    @Test("a bucket is made empty, and comes back as it was saved", arguments: Driver.allCases)
    func saves(driver: Driver) async throws {
        try await Fixture.with(driver) { fixture in
            let start = Fixture.start
            try await fixture.store.write(.relaxed) { transaction in
                let buckets = transaction.rateBuckets
                var bucket = try buckets.lock(projectID: "a", verb: "GET")
                #expect(bucket.bucket.level == 0 && bucket.leases.isEmpty)
                bucket.bucket.add(3, at: start, limit: 60)
                bucket.bucket.add(at: start + .milliseconds(500), limit: 60)
                bucket.leases["one"] = RateBucket.Lease(requests: 4, expires: start + .seconds(9))
                try buckets.save(bucket, projectID: "a", verb: "GET")
                #expect(try buckets.lock(projectID: "a", verb: "GET") == bucket)
                #expect(try buckets.lock(projectID: "a", verb: "POST").leases.isEmpty)
                #expect(try buckets.lock(projectID: "b", verb: "GET").leases.isEmpty)
            }
            let all = try await fixture.store.read { try $0.rateBuckets.all(projectID: "a") }
            #expect(Set(all.keys) == ["GET", "POST"])
            #expect(all["GET"]?.bucket.level == 3.5 && all["GET"]?.held == 4)
        }
    }

    @Test("many that add to one bucket at once lose nothing", arguments: Driver.allCases)
    func race(driver: Driver) async throws {
        try await Fixture.with(driver) { fixture in
            let start = Fixture.start
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<24 {
                    group.addTask {
                        try await fixture.store.write(.relaxed) { transaction in
                            var bucket = try transaction.rateBuckets.lock(projectID: "a", verb: "GET")
                            bucket.bucket.add(at: start, limit: 60)
                            try transaction.rateBuckets.save(bucket, projectID: "a", verb: "GET")
                        }
                    }
                }
                try await group.waitForAll()
            }
            let all = try await fixture.store.read { try $0.rateBuckets.all(projectID: "a") }
            #expect(all["GET"]?.bucket.level == 24)
        }
    }

    @Test("buckets nobody touches are removed in batches, the oldest first", arguments: Driver.allCases)
    func purge(driver: Driver) async throws {
        try await Fixture.with(driver) { fixture in
            let start = Fixture.start
            try await fixture.store.write(.relaxed) { transaction in
                for number in 0..<5 {
                    var bucket = try transaction.rateBuckets.lock(projectID: "p\(number)", verb: "GET")
                    bucket.bucket.add(at: start + .seconds(number), limit: 60)
                    try transaction.rateBuckets.save(bucket, projectID: "p\(number)", verb: "GET")
                }
                #expect(try transaction.rateBuckets.purge(before: start + .seconds(4), limit: 3) == 3)
                #expect(try transaction.rateBuckets.all(projectID: "p2").isEmpty)
                #expect(try transaction.rateBuckets.all(projectID: "p3").count == 1)
                #expect(try transaction.rateBuckets.purge(before: start + .seconds(4), limit: 3) == 1)
                #expect(try transaction.rateBuckets.all(projectID: "p4").count == 1)
            }
        }
    }
}
