// SPDX-License-Identifier: Apache-2.0

import API
import Model
import PluginHost
import StateStore
import TestSupport
import Testing

@Suite("Incremental backups")
struct IncrementalBackupTests {
    private static let position: JSONValue = ["at": 5]

    /// Runs with a strategy that makes increments.
    private func withIncrements(_ body: (APIFixture, String) async throws -> Void) async throws {
        var configuration = APIFixture.configuration
        configuration.quotas.backups = 1000
        try await withAPI(configuration) { api in
            api.plugins.setPlugins { plugins in
                plugins.append(
                    PluginDescription(
                        id: "org.example.backup", version: "1.0.0", sha256: "00", roles: ["guest"],
                        provides: ["trove.backup/1"], directory: "/", isLoaded: false, makesIncrements: true))
            }
            try await body(api, try await api.insertRunning())
        }
    }

    private func body(_ instance: String, _ more: [String: JSONValue]) -> JSONValue {
        ["backup": .object(["name": "b", "instance": .string(instance)].merging(more) { _, new in new })]
    }

    /// What the new backup's parent is; the backup has failed afterwards.
    private func parent(_ api: APIFixture, _ id: String, _ more: [String: JSONValue]) async throws -> JSONValue? {
        let response = await api.send("POST", "/backups", body: body(id, more))
        #expect(response.status == 202, "\(response.json)")
        let backup = try #require(response.json["backup"]?["id"]?.stringValue)
        let journal = try await api.store.read { try $0.journal.live(resourceID: backup).first?.input["parent_id"] }
        #expect(journal == response.json["backup"]?["parent_id"])
        try await api.store.write(.relaxed) { [now = api.clock.now] transaction in
            try transaction.backups.update(
                backup, state: .failed, sizeBytes: nil, checksum: nil, location: nil, position: nil, now: now)
        }
        return response.json["backup"]?["parent_id"]
    }

    @Test("an increment adds to what it is told to, or to the last complete backup, or is a full one")
    func chooses() async throws {
        try await withIncrements { api, id in
            #expect(try await parent(api, id, ["incremental": 1]) == .null)
            let first = try await api.insertBackup(instance: id) { $0.position = Self.position }
            api.clock.advance(by: .seconds(5))
            let second = try await api.insertBackup(instance: id, parent: first) { $0.position = Self.position }
            api.clock.advance(by: .seconds(5))
            #expect(try await parent(api, id, ["incremental": 1]) == .string(second))
            #expect(try await parent(api, id, ["incremental": 0]) == .null)
            #expect(try await parent(api, id, [:]) == .null)
            #expect(try await parent(api, id, ["parent_id": .string(first)]) == .string(first))
            #expect(try await parent(api, id, ["parent_id": .string(first), "incremental": 0]) == .string(first))
            let other = try await api.insertRunning()
            #expect(try await parent(api, other, ["incremental": 1]) == .null)
        }
    }

    @Test("what cannot be a parent is refused by name, and without one a full backup is made")
    func refusesParents() async throws {
        try await withIncrements { api, id in
            let tail = " Leave 'parent_id' out for a full backup."
            let cases: [(String, Int, @Sendable (inout BackupRecord) -> Void)] = [
                ("where it ends is not known.", 400, { $0.position = nil }),
                (
                    "the strategy 'org.example.old' made it, and 'org.example.backup' makes this one.", 400,
                    { $0.backupType = "org.example.old" }
                ),
                (
                    "it is of another datastore version than the instance has now.", 400,
                    { $0.datastoreVersionID = APIFixture.inactiveID }
                ),
            ]
            for (reason, status, change) in cases {
                api.clock.advance(by: .seconds(5))
                let backup = try await api.insertBackup(instance: id) { record in
                    record.position = Self.position
                    change(&record)
                }
                expectFault(
                    await api.send("POST", "/backups", body: body(id, ["parent_id": .string(backup)])), status,
                    "Backup \(backup) cannot be a parent: \(reason)" + tail)
                #expect(try await parent(api, id, ["incremental": 1]) == .null)
            }
            let restored = try await api.insertBackup(instance: nil, state: .restored)
            expectFault(
                await api.send("POST", "/backups", body: body(id, ["parent_id": .string(restored)])), 400,
                "Backup \(restored) is of another instance and cannot be the parent of this one.")
        }
    }

    @Test("nothing is added to a chain that is being deleted, or that is as long as one may be")
    func refusesChains() async throws {
        try await withIncrements { api, id in
            let root = try await api.insertBackup(instance: id) { $0.position = Self.position }
            let leaf = try await api.insertBackup(instance: id, parent: root) { $0.position = Self.position }
            #expect(await api.send("DELETE", "/backups/\(root)").status == 202)
            expectFault(
                await api.send("POST", "/backups", body: body(id, ["parent_id": .string(leaf)])), 422,
                "Backup \(leaf) cannot be a parent: it is being deleted.")
            #expect(try await parent(api, id, ["incremental": 1]) == .null)

            var last: String?
            for _ in 0..<100 {
                api.clock.advance(by: .seconds(1))
                last = try await api.insertBackup(instance: id, parent: last) { $0.position = Self.position }
            }
            let longest = try #require(last)
            expectFault(
                await api.send("POST", "/backups", body: body(id, ["parent_id": .string(longest)])), 400,
                "Backup \(longest) cannot be a parent: 100 backups in a row add to one another already. Leave 'parent_id'"
                    + " out for a full backup.")
            #expect(try await parent(api, id, ["incremental": 1]) == .null)
        }
    }

    @Test("a chain's size is that of its largest part")
    func chainSize() async throws {
        try await withIncrements { api, id in
            let root = try await api.insertBackup(instance: id, sizeBytes: 5 << 30) { $0.position = Self.position }
            let leaf = try await api.insertBackup(instance: id, parent: root, sizeBytes: 1 << 20)
            let response = await api.send(
                "POST", "/instances", body: CreateInstanceTests.body(["restorePoint": ["backupRef": .string(leaf)]]))
            #expect(response.status == 403, "\(response.json)")
        }
    }
}

@Suite("Backups that are taken over")
struct AdoptedBackupTests {
    private static let project = TestIdentity.projects["alice"] ?? ""

    private func body(
        _ location: String, version: String = APIFixture.versionID, size: JSONValue = 1.5,
        _ more: [String: JSONValue] = [:]
    ) -> JSONValue {
        let source: JSONValue = [
            "remote_location": .string(location), "local_datastore_version_id": .string(version), "size": size,
        ]
        return ["backup": .object(["name": "again", "restore_from": source].merging(more) { _, new in new })]
    }

    @Test("a row is there at once, in RESTORED, and nothing is asked of the task manager")
    func adopts() async throws {
        try await withAPI { api in
            let location = "file:///store/\(Self.project)/b1"
            let response = await api.send("POST", "/backups", body: body(location, ["description": "old"]))
            #expect(response.status == 202)
            let backup = response.json["backup"]
            let id = try #require(backup?["id"]?.stringValue)
            #expect(backup?["status"] == "RESTORED" && backup?["size"] == 1.5 && backup?["description"] == "old")
            #expect(backup?["locationRef"] == .string(location) && backup?["instance_id"] == .null)
            #expect(backup?["datastore"]?["version_id"] == .string(APIFixture.versionID))
            #expect(await api.send("GET", "/backups/\(id)").json == response.json)
            #expect(try await api.count().journal == 0 && api.bus.casts.isEmpty)
            let child = await api.send(
                "POST", "/backups", body: body("file:///store/\(Self.project)/b2", ["parent_id": .string(id)]))
            #expect(child.json["backup"]?["parent_id"] == .string(id))
            let dry = await api.send("POST", "/backups?dry_run=true", body: body(location))
            #expect(dry.status == 200)
            #expect(await api.send("GET", "/backups").json["backups"]?.arrayValue?.count == 2)
        }
    }

    @Test("what cannot be read is 400 with a reason that tells nothing of others")
    func refuses() async throws {
        var configuration = APIFixture.configuration
        configuration.quotas.backups = 0
        try await withAPI(configuration) { api in
            let own = "file:///store/\(Self.project)/"
            for (location, reason) in [
                ("http://elsewhere/x", SealedBackupRefusal.elsewhere), ("file:///store/others/x", .missing),
                (own + "missing", .missing), (own + "unsealed", .unsealed), (own + "unavailable", .unavailable),
            ] {
                expectFault(
                    await api.send("POST", "/backups", body: body(location)), 400,
                    "Failed to restore backup from \(location): \(reason.rawValue).")
            }
            let missing = "aaaaaaaa-0000-4000-8000-000000000001"
            expectFault(
                await api.send("POST", "/backups", body: body(own + "b", version: missing)), 400,
                "Datastore version '\(missing)' cannot be found.")
            expectFault(
                await api.send("POST", "/backups", body: body(own + "b", version: APIFixture.orphanID)), 501,
                "The 'backup_create' operation is not supported for the 'mariadb' datastore.")
            for size: JSONValue in [-1, 2_000_000_000] {
                expectFault(
                    await api.send("POST", "/backups", body: body(own + "b", size: size)), 400,
                    "Validation error: backup['restore_from']['size'] must be a number of GB, 0 or more.")
            }
            expectFault(
                await api.send("POST", "/backups", body: body(own + "b", ["parent_id": .string(missing)])), 404,
                "Resource \(missing) cannot be found.")
            let others = try await api.insertBackup(of: "bob", instance: nil)
            expectFault(
                await api.send("POST", "/backups", body: body(own + "b", ["parent_id": .string(others)])), 404,
                "Resource \(others) cannot be found.")
            expectFault(
                await api.send("POST", "/backups", body: body(own + "b")), 413,
                "Quota exceeded for resources: ['backups'].")
        }
    }
}
