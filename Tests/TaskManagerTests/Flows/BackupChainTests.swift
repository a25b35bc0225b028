// SPDX-License-Identifier: Apache-2.0

import Calls
import Foundation
import Model
import ObjectStore
import StateStore
import Synchronization
import TestSupport
import Testing

@testable import TaskManager

/// A store in which some objects cannot be deleted for now.
private struct StubbornStore: ObjectStore {
    let real: any ObjectStore
    let stuck: Set<String>

    func create(_ name: String) throws(ObjectStoreError) -> any ObjectSink { try real.create(name) }
    func open(_ name: String) throws(ObjectStoreError) -> any ObjectSource { try real.open(name) }
    func list() throws(ObjectStoreError) -> [String] { try real.list() }
    func location(_ name: String) -> String { real.location(name) }
    func name(location: String) -> String? { real.name(location: location) }
    func delete(_ name: String) throws(ObjectStoreError) {
        guard !stuck.contains(name) else { throw ObjectStoreError(.unavailable, "not now") }
        try real.delete(name)
    }
}

/// What flows make of backups that add to one another.
@Suite("Chains of backups") struct BackupChainTests {
    private static let names = ["b0", "b1", "b2"]

    /// b0 ← b1 ← b2, each with a sealed object, and b3, taken over from `p/other`, which adds to b0.
    private func chain(_ fixture: EngineFixture) async throws {
        try await fixture.instance("i1", task: .none)
        var records: [BackupRecord] = []
        for (index, id) in Self.names.enumerated() {
            try await seal(fixture, name: "p/" + id, id: id)
            records.append(record(fixture, id, parent: index > 0 ? Self.names[index - 1] : nil))
        }
        try await seal(fixture, name: "p/other", id: "elsewhere")
        var adopted = record(fixture, "b3", parent: "b0")
        adopted.instanceID = nil
        adopted.state = .restored
        adopted.location = fixture.services.objects.location("p/other")
        adopted.position = nil
        let rows = records + [adopted]
        let (own, now) = (records, fixture.clock.now)
        try await fixture.store.write(.relaxed) { transaction in
            for row in rows { try transaction.backups.insert(row) }
            for row in own {
                try transaction.ledger.add(
                    [LedgerEntry(kind: "object", tag: "p/" + row.id, ownerID: row.id, created: now)])
            }
        }
    }

    private func record(_ fixture: EngineFixture, _ id: String, parent: String?) -> BackupRecord {
        var record = BackupRecord(
            id: id, name: id, description: nil, projectID: "p", instanceID: "i1", parentID: parent, state: .completed,
            backupType: "org.example.backup", datastoreVersionID: "v1", created: fixture.clock.now)
        record.position = ["at": .string(id)]
        return record
    }

    private func seal(_ fixture: EngineFixture, name: String, id: String) async throws {
        let key = try fixture.services.keys.makeDataKey(projectID: "p", backupID: id)
        let file = open("/dev/null", O_RDONLY)
        defer { close(file) }
        let sink = try fixture.services.objects.create(name)
        _ = try await BackupSeal.seal(
            inputFD: file, sink: sink, backupID: id, dataKey: key.dataKey, wrappedKey: key.wrapped)
        try sink.commit()
    }

    private func delete(_ fixture: EngineFixture, _ services: FlowServices) async throws {
        let now = fixture.clock.now
        try await fixture.store.write(.relaxed) { transaction in
            try transaction.journal.insert(
                JournalRecord(
                    id: "op", requestID: "req-1", projectID: "p", userID: "u", flow: FlowName.deleteBackup.rawValue,
                    resourceID: "b0", input: ["backup_id": "b0"], created: now))
        }
        let row = try #require(try await fixture.claim())
        await FlowRunner(services: services, logger: fixture.logger, flows: [DeleteBackupFlow()]).run(row)
    }

    private func live(_ fixture: EngineFixture) async throws -> [String] {
        try await fixture.store.read { try $0.backups.all().map(\.id).sorted() }
    }

    private func backup(_ fixture: EngineFixture, _ id: String) async throws -> BackupRecord {
        try #require(try await fixture.store.read { try $0.backups.find(id) })
    }

    @Test("a parent takes its increments along, and leaves the object of one that was taken over")
    func deletesFamily() async throws {
        let fixture = try EngineFixture()
        try await chain(fixture)
        try await delete(fixture, fixture.services)
        #expect(try await live(fixture) == [])
        #expect(try fixture.services.objects.list() == ["p/other"])
        #expect(try await fixture.store.read { try $0.ledger.all() } == [])
        #expect(try await fixture.journal("op")?.state == .done)
    }

    @Test("one that cannot go now keeps its parents, and nothing that needs it is left", arguments: ["b0", "b1"])
    func stopsBetween(_ stuck: String) async throws {
        let fixture = try EngineFixture()
        try await chain(fixture)
        var services = fixture.services
        services.objects = StubbornStore(real: services.objects, stuck: ["p/" + stuck])
        try await delete(fixture, services)
        let left = stuck == "b0" ? ["b0"] : ["b0", "b1"]
        let rows = try await live(fixture)
        #expect(rows.filter { $0 != "b3" } == left)
        #expect(try fixture.services.objects.list() == left.map { "p/" + $0 } + ["p/other"])
        #expect(try await fixture.journal("op")?.state != .done)
    }

    @Test("a guest that restores an increment is given all that it adds to, each with its own key")
    func restoreInfo() async throws {
        let fixture = try EngineFixture()
        try await chain(fixture)
        let objects = BackupObjects(fixture.services)
        let info = try await objects.restoreInfo(try await backup(fixture, "b2"), instanceID: "i2")
        #expect(info.parents.map(\.id) == ["b0", "b1"])
        #expect(info.parent == ["id": "b1", "position": ["at": "b1"]])
        #expect(info.parents[0].parent == .null && info.parents[1].parent["id"] == "b0")
        #expect(Set((info.parents + [info]).map(\.dataKey.revealed)).count == 3)
        #expect(info.position == ["at": "b2"] && info.sealedID == "b2")

        let adopted = try await objects.restoreInfo(try await backup(fixture, "b3"), instanceID: "i2")
        #expect(adopted.id == "b3" && adopted.sealedID == "elsewhere" && adopted.position == .null)
        #expect(adopted.location.hasSuffix("/p/other") && adopted.parents.map(\.id) == ["b0"])
    }

    @Test("a part that cannot be used is named")
    func unusable() async throws {
        let fixture = try EngineFixture()
        try await chain(fixture)
        let objects = BackupObjects(fixture.services)
        let last = try await backup(fixture, "b2")
        try fixture.services.objects.delete("p/b1")
        var error = await #expect(throws: FlowError.self) { try await objects.restoreInfo(last, instanceID: "i2") }
        #expect(error?.message.contains("b1") == true && error?.message.contains("b2") == false)
        try await seal(fixture, name: "p/b1", id: "b9")
        error = await #expect(throws: FlowError.self) { try await objects.restoreInfo(last, instanceID: "i2") }
        #expect(error?.message == "The object of backup b1 is another backup's (b9).")
        let now = fixture.clock.now
        try await fixture.store.write(.relaxed) { transaction in
            try transaction.backups.update(
                "b1", state: .deleteFailed, sizeBytes: nil, checksum: nil, location: nil, position: nil, now: now)
        }
        error = await #expect(throws: FlowError.self) { try await objects.restoreInfo(last, instanceID: "i2") }
        #expect(error?.message == "Backup b1, which backup b2 adds to, is DELETE_FAILED.")
        let child = record(fixture, "b4", parent: "b1")
        error = await #expect(throws: FlowError.self) { try await objects.backupInfo(child, instanceID: "i1") }
        #expect(error?.message.contains("b1") == true)
        let next = try await objects.backupInfo(record(fixture, "b5", parent: "b0"), instanceID: "i1")
        #expect(next.parent == ["id": "b0", "position": ["at": "b0"]] && next.parents.isEmpty)
    }
}
