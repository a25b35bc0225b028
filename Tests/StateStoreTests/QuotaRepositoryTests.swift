// SPDX-License-Identifier: Apache-2.0

import Logging
import Model
import Testing

@testable import StateStore

@Suite("Quotas in the state store")
struct QuotaRepositoryTests {
    @Test("usage counts a project's live rows and nothing else", arguments: Driver.allCases)
    func usage(driver: Driver) async throws {
        try await Fixture.with(driver) { fixture in
            try await fixture.store.write(.relaxed) { transaction in
                let empty = try transaction.quotas.usage(projectID: "project-a", flavorRAM: [:])
                #expect(empty == QuotaUsage())
                try transaction.instances.insert(Fixture.instance("i1", flavor: "1"))
                try transaction.instances.insert(Fixture.instance("i2", flavor: "2"))
                try transaction.instances.insert(Fixture.instance("i3", flavor: "2"))
                try transaction.instances.insert(Fixture.instance("i4", flavor: "gone"))
                try transaction.instances.insert(Fixture.instance("i5", project: "project-b"))
                try transaction.instances.insert(Fixture.instance("i6"))
                try transaction.instances.markDeleted("i6", now: Fixture.start)
                for id in ["b1", "b2"] { try transaction.backups.insert(Fixture.backup(id)) }
                try transaction.backups.markDeleted("b2", now: Fixture.start)
                let usage = try transaction.quotas.usage(projectID: "project-a", flavorRAM: ["1": 512, "2": 1024])
                #expect(usage.instances == 4)
                #expect(usage.volumesGiB == 8)
                #expect(usage.ramMiB == 512 + 2 * 1024)
                #expect(usage.backups == 1)
            }
        }
    }

    @Test("limits are stored by project and resource, and replaced", arguments: Driver.allCases)
    func limits(driver: Driver) async throws {
        try await Fixture.with(driver) { fixture in
            try await fixture.store.write(.relaxed) { transaction in
                let quotas = transaction.quotas
                #expect(try quotas.limits(projectID: "a").isEmpty)
                try quotas.setLimit(projectID: "a", resource: "instances", limit: 5)
                try quotas.setLimit(projectID: "a", resource: "instances", limit: -1)
                try quotas.setLimit(projectID: "a", resource: "volumes", limit: 7)
                try quotas.setLimit(projectID: "b", resource: "volumes", limit: 9)
                #expect(try quotas.limits(projectID: "a") == ["instances": -1, "volumes": 7])
            }
        }
    }

    @Test(
        "fifty concurrent creates cannot pass a limit of ten, also from two processes' stores",
        arguments: Driver.allCases)
    func concurrency(driver: Driver) async throws {
        try await Fixture.with(driver) { fixture in
            // A second store on the same database locks against the first as another process would.
            let other = try fixture.another()
            let outcomes = await withTaskGroup(of: Result<Void, any Error>.self) { group in
                for number in 0..<50 {
                    group.addTask {
                        await insertWithinLimit(number % 2 == 0 ? fixture.store : other, id: "i\(number)", limit: 10)
                    }
                }
                return await group.reduce(into: []) { $0.append($1) }
            }
            await other.close()
            var accepted = 0
            for outcome in outcomes {
                switch outcome {
                case .success: accepted += 1
                case .failure(let error): #expect(has(.quotaExceeded)(error), "\(error)")
                }
            }
            #expect(accepted == 10)
            let usage = try await fixture.store.read { try $0.quotas.usage(projectID: "project-a", flavorRAM: [:]) }
            #expect(usage.instances == 10)
        }
    }

    @concurrent
    private func insertWithinLimit(_ store: any StateStore, id: String, limit: Int) async -> Result<Void, any Error> {
        do {
            try await store.write(.relaxed) { transaction in
                try transaction.quotas.beginAdmission(projectID: "project-a")
                let usage = try transaction.quotas.usage(projectID: "project-a", flavorRAM: [:])
                guard usage.instances < limit else { throw StateStoreError(.quotaExceeded, "no more instances") }
                try transaction.instances.insert(Fixture.instance(id))
            }
            return .success(())
        } catch {
            return .failure(error)
        }
    }
}
