// SPDX-License-Identifier: Apache-2.0

import Model
import Testing

@testable import StateStore

@Suite("Backups in the state store")
struct BackupRepositoryTests {
    private let later = Fixture.start + .seconds(1000)

    @Test("what is inserted is found with the names of its datastore", arguments: Driver.allCases)
    func roundTrip(driver: Driver) async throws {
        try await Fixture.with(driver) { fixture in
            var record = Fixture.backup("b1")
            record.location = "file:///backups/b1"
            record.sizeBytes = 1 << 41
            record.checksum = "abc"
            record.position = ["lsn": 5]
            let stored = record
            let found = try await fixture.store.write(.durable) { transaction in
                try transaction.backups.insert(stored)
                return try transaction.backups.find("b1")
            }
            var expected = stored
            expected.datastoreName = "alpha"
            expected.datastoreVersionName = "1.2"
            #expect(found == expected)
        }
    }

    @Test("pages are newest first and every combination of filters narrows them", arguments: Driver.allCases)
    func pages(driver: Driver) async throws {
        try await Fixture.with(driver) { fixture in
            try await fixture.store.write(.relaxed) { transaction in
                for number in 0..<8 {
                    let record = Fixture.backup(
                        "b\(number)", instance: number < 4 ? "i1" : "i2", project: number % 2 == 0 ? "even" : "odd",
                        after: number)
                    try transaction.backups.insert(record)
                }
                try transaction.backups.insert(Fixture.backup("b9", project: "even", after: 0))
                try transaction.backups.markDeleted("b6", now: Fixture.start)
            }
            try await fixture.store.read { transaction throws in
                func ids(
                    _ project: String? = nil, _ instance: String? = nil, _ datastore: String? = nil, offset: Int = 0,
                    limit: Int = 100
                ) throws -> String {
                    try transaction.backups.page(
                        projectID: project, instanceID: instance, datastoreID: datastore, offset: offset, limit: limit
                    ).map { String($0.id.dropFirst()) }.joined()
                }
                #expect(try ids() == "75432190")
                #expect(try ids("even") == "4290")
                #expect(try ids(nil, "i2") == "754")
                #expect(try ids("odd", "i2") == "75")
                #expect(try ids(nil, nil, "datastore-1") == "75432190")
                #expect(try ids("even", "i1", "datastore-1") == "290")
                #expect(try ids("even", "i1", "datastore-2") == "")
                #expect(try ids(offset: 2, limit: 3) == "432")
                #expect(try ids("even", offset: 3, limit: 3) == "0")
                #expect(try ids(offset: 99) == "")
                #expect(try transaction.backups.all().count == 8)
            }
        }
    }

    @Test("children are the live increments of one parent", arguments: Driver.allCases)
    func children(driver: Driver) async throws {
        try await Fixture.with(driver) { fixture in
            let ids = try await fixture.store.write(.relaxed) { transaction in
                try transaction.backups.insert(Fixture.backup("b1"))
                try transaction.backups.insert(Fixture.backup("b3", parent: "b1", after: 2))
                try transaction.backups.insert(Fixture.backup("b2", parent: "b1", after: 3))
                try transaction.backups.insert(Fixture.backup("b4", parent: "b1"))
                try transaction.backups.markDeleted("b4", now: Fixture.start)
                return try transaction.backups.children(of: "b1").map(\.id)
            }
            #expect(ids == ["b3", "b2"])
            await #expect {
                try await fixture.store.write(.relaxed) { transaction in
                    try transaction.backups.insert(Fixture.backup("b5", parent: "nothing"))
                }
            } throws: { has(.notFound)($0) }
        }
    }

    @Test("an update writes what it is given and keeps the rest", arguments: Driver.allCases)
    func update(driver: Driver) async throws {
        try await Fixture.with(driver) { [later] fixture in
            try await fixture.store.write(.relaxed) { transaction in
                let backups = transaction.backups
                try backups.insert(Fixture.backup("b1"))
                try backups.update(
                    "b1", state: .building, sizeBytes: 10, checksum: "sum", location: "file:///x",
                    position: ["lsn": 1], now: Fixture.start)
                try backups.update(
                    "b1", state: .completed, sizeBytes: nil, checksum: nil, location: nil, position: nil, now: later)
            }
            let found = try await fixture.store.read { try $0.backups.find("b1") }
            #expect(found?.state == .completed)
            #expect(found?.sizeBytes == 10)
            #expect(found?.checksum == "sum")
            #expect(found?.location == "file:///x")
            #expect(found?.position == ["lsn": 1])
            #expect(found?.updated == later)
            await #expect {
                try await fixture.store.write(.relaxed) { transaction in
                    try transaction.backups.update(
                        "b2", state: .failed, sizeBytes: nil, checksum: nil, location: nil, position: nil, now: later)
                }
            } throws: { has(.notFound)($0) }
        }
    }

    @Test(
        "NEW, BUILDING and SAVING run; failing them leaves finished ones alone", arguments: BackupState.allCases,
        Driver.allCases)
    func running(state: BackupState, driver: Driver) async throws {
        try await Fixture.with(driver) { [later] fixture in
            let (before, after, final) = try await fixture.store.write(.relaxed) { transaction in
                var record = Fixture.backup("b1")
                record.state = state
                try transaction.backups.insert(record)
                let before = try transaction.backups.isRunning(instanceID: "i1")
                try transaction.backups.failRunning(instanceID: "i1", now: later)
                let after = try transaction.backups.isRunning(instanceID: "i1")
                return (before, after, try transaction.backups.find("b1")?.state)
            }
            #expect(before == state.isRunning)
            #expect(!after)
            #expect(final == (state.isRunning ? .failed : state))
        }
    }

    @Test("a deleted backup is gone and is not running", arguments: Driver.allCases)
    func deletion(driver: Driver) async throws {
        try await Fixture.with(driver) { [later] fixture in
            try await fixture.store.write(.relaxed) { transaction in
                try transaction.backups.insert(Fixture.backup("b1"))
                try transaction.backups.markDeleted("b1", now: later)
                #expect(try transaction.backups.find("b1") == nil)
                #expect(try !transaction.backups.isRunning(instanceID: "i1"))
            }
            await #expect {
                try await fixture.store.write(.relaxed) { try $0.backups.markDeleted("b1", now: later) }
            } throws: { has(.notFound)($0) }
        }
    }
}
