// SPDX-License-Identifier: Apache-2.0

import API
import Model
import StateStore
import TestSupport
import Testing

@Suite("Backups")
struct BackupTests {
    private func body(_ instance: String, _ more: [String: JSONValue] = [:]) -> JSONValue {
        ["backup": .object(["name": "b", "instance": .string(instance)].merging(more) { _, new in new })]
    }

    @Test("a backup is accepted with its document, and the instance shows BACKUP")
    func create() async throws {
        try await withAPI { api in
            let id = try await api.insertRunning()
            let response = await api.send("POST", "/backups", body: body(id, ["description": "first"]))
            #expect(response.status == 202)
            let backup = response.json["backup"]
            let backupID = try #require(backup?["id"]?.stringValue)
            #expect(
                backup == [
                    "id": .string(backupID), "name": "b", "description": "first", "locationRef": .null,
                    "instance_id": .string(id), "created": "2020-09-13T12:26:40", "updated": "2020-09-13T12:26:40",
                    "size": .null, "status": "NEW", "parent_id": .null,
                    "project_id": .string(TestIdentity.projects["alice"] ?? ""),
                    "datastore": [
                        "type": "mariadb", "version": "11.4", "version_id": .string(APIFixture.versionID),
                    ],
                ]
            )
            let journal = try await api.store.read { try $0.journal.live(resourceID: backupID) }
            #expect(journal.map(\.flow) == [FlowName.createBackup.rawValue])
            #expect(
                journal.first?.input == [
                    "backup_id": .string(backupID), "instance_id": .string(id), "parent_id": .null,
                ]
            )
            #expect(await api.send("GET", "/backups/\(backupID)").json == response.json)
            #expect(await api.send("GET", "/instances/\(id)").json["instance"]?["status"] == "BACKUP")
            expectFault(
                await api.send("POST", "/backups", body: body(id)), 422,
                "Instance \(id) is not currently available for an action to be performed (instance status was BACKUP).")
            #expect(api.bus.casts == ["wake"])
        }
    }

    @Test("a strategy without increments: none is made instead of one that cannot be")
    func parents() async throws {
        try await withAPI { api in
            let id = try await api.insertRunning()
            func parent(_ more: [String: JSONValue]) async throws -> JSONValue? {
                let response = await api.send("POST", "/backups", body: body(id, more))
                let parent = response.json["backup"]?["parent_id"]
                if let backup = response.json["backup"]?["id"]?.stringValue {
                    try await api.store.write(.relaxed) { [now = api.clock.now] transaction in
                        try transaction.backups.update(
                            backup, state: .failed, sizeBytes: nil, checksum: nil, location: nil, position: nil,
                            now: now)
                    }
                }
                return parent
            }
            #expect(try await parent(["incremental": 1]) == .null)
            let first = try await api.insertBackup(instance: id)
            api.clock.advance(by: .seconds(5))
            let second = try await api.insertBackup(instance: id)
            #expect(try await parent(["incremental": 1]) == .null)
            #expect(try await parent(["incremental": 0]) == .null)
            for parent in [first, second] {
                expectFault(
                    await api.send("POST", "/backups", body: body(id, ["parent_id": .string(parent)])), 400,
                    "Backup \(parent) cannot be a parent: the strategy 'org.example.backup' makes full backups only. Leave"
                        + " 'parent_id' out.")
            }
            let failed = try await api.insertBackup(instance: id, state: .failed)
            expectFault(
                await api.send("POST", "/backups", body: body(id, ["parent_id": .string(failed)])), 409,
                "Unable to create a backup because its parent \(failed) is not completed. Actual state: FAILED.")
            let other = try await api.insertBackup(instance: try await api.insertRunning())
            expectFault(
                await api.send("POST", "/backups", body: body(id, ["parent_id": .string(other)])), 400,
                "Backup \(other) is of another instance and cannot be the parent of this one.")
        }
    }

    @Test("requests that cannot be served")
    func refusals() async throws {
        try await withAPI { api in
            let id = try await api.insertRunning()
            let missing = "aaaaaaaa-0000-4000-8000-000000000001"
            expectFault(
                await api.send("POST", "/backups", body: ["backup": ["name": "b"]]), 400, "instance is missing.")
            expectFault(
                await api.send("POST", "/backups", body: body(missing)), 404, "Resource \(missing) cannot be found.")
            expectFault(
                await api.send("POST", "/backups", body: body(id, ["parent_id": .string(missing)])), 404,
                "Resource \(missing) cannot be found.")
            expectFault(
                await api.send("POST", "/backups", body: body(id, ["swift_container": "a/b"])), 400,
                "The container 'a/b' cannot be used: a name has up to 200 letters, digits, '.', '_' and '-', and is no"
                    + " UUID.")
            let elsewhere: JSONValue = [
                "remote_location": "http://x", "local_datastore_version_id": .string(missing), "size": 1,
            ]
            expectFault(
                await api.send("POST", "/backups", body: ["backup": ["name": "b", "restore_from": elsewhere]]), 400,
                "Failed to restore backup from http://x: it does not lie in this service's object store.")
            expectFault(
                await api.send("POST", "/backups", body: body(id, ["incremental": true])), 400,
                "Validation error: backup['incremental'] True is not of type 'integer'")
            expectFault(
                await api.send("POST", "/backups", as: "bob", body: body(id)), 404, "Resource \(id) cannot be found.")
            let without = try await api.insertRunning(version: APIFixture.orphanID)
            expectFault(
                await api.send("POST", "/backups", body: body(without)), 501,
                "The 'backup_create' operation is not supported for the 'mariadb' datastore.")
        }
    }

    @Test("backups count against their quota")
    func quota() async throws {
        var configuration = APIFixture.configuration
        configuration.quotas.backups = 1
        try await withAPI(configuration) { api in
            let id = try await api.insertRunning()
            _ = try await api.insertBackup(instance: id)
            expectFault(
                await api.send("POST", "/backups", body: body(id)), 413, "Quota exceeded for resources: ['backups'].")
        }
    }

    @Test("of many requests for one instance one wins")
    func race() async throws {
        try await withAPI { api in
            let id = try await api.insertRunning()
            let body = body(id)
            let statuses = await withTaskGroup(of: Int.self) { group in
                for _ in 0..<8 { group.addTask { await api.send("POST", "/backups", body: body).status } }
                return await group.reduce(into: []) { $0.append($1) }
            }
            #expect(statuses.filter { $0 == 202 }.count == 1)
            #expect(statuses.filter { $0 == 422 }.count == 7)
        }
    }

    @Test("lists filter, page by offset, and end with an empty page when the last was full")
    func list() async throws {
        try await withAPI { api in
            let (first, second) = (try await api.insertRunning(), try await api.insertRunning())
            for number in 0..<6 {
                api.clock.advance(by: .seconds(1))
                _ = try await api.insertBackup(instance: number < 4 ? first : second)
            }
            _ = try await api.insertBackup(of: "bob", instance: nil)
            func ids(_ path: String, _ token: String = "alice") async -> Int? {
                await api.send("GET", path, as: token).json["backups"]?.arrayValue?.count
            }
            #expect(await ids("/backups") == 6)
            #expect(await ids("/backups?instance_id=\(first)") == 4)
            #expect(await ids("/instances/\(second)/backups") == 2)
            #expect(await ids("/backups?datastore=mariadb") == 6)
            #expect(await ids("/backups?datastore=other") == 0)
            #expect(await ids("/backups?all_projects=False") == 6)
            #expect(await ids("/backups?all_projects=True", "admin") == 7)
            #expect(await ids("/backups?project_id=\(TestIdentity.projects["bob"] ?? "")", "admin") == 1)
            expectFault(
                await api.send("GET", "/backups?all_projects=True"), 403,
                "Policy doesn't allow backup:index:all_projects to be performed.")
            expectFault(await api.send("GET", "/backups?datastore=x"), 404, "Datastore 'x' cannot be found.")
            let page = await api.send("GET", "/backups?limit=3&marker=3").json
            #expect(page["backups"]?.arrayValue?.count == 3)
            let href = page["links"]?[0]?["href"]?.stringValue
            #expect(href?.hasSuffix("/backups?limit=3&marker=6") == true)
            let last = await api.send("GET", "/backups?limit=3&marker=6").json
            #expect(last == ["backups": []])
            for query in ["marker=x", "marker=-1", "limit=0", "limit=x"] {
                #expect(await api.send("GET", "/backups?\(query)").status == 400)
            }
            let sizes = await api.send("GET", "/backups?limit=1").json["backups"]?[0]?["size"]
            #expect(sizes == 1.0)
        }
    }

    @Test("a backup that runs, or whose increment runs, cannot be deleted; others are, once")
    func delete() async throws {
        try await withAPI { api in
            let id = try await api.insertRunning()
            let parent = try await api.insertBackup(instance: id)
            let child = try await api.insertBackup(instance: id, state: .building, parent: parent)
            for backup in [parent, child] {
                expectFault(
                    await api.send("DELETE", "/backups/\(backup)"), 422,
                    "Backup \(child) cannot be deleted because it is running.")
            }
            let done = try await api.insertBackup(instance: id)
            for _ in 0..<2 { #expect(await api.send("DELETE", "/backups/\(done)").status == 202) }
            let journal = try await api.store.read { try $0.journal.live(resourceID: done) }
            #expect(journal.map(\.flow) == [FlowName.deleteBackup.rawValue])
            expectFault(
                await api.send("DELETE", "/backups/\(done)", as: "bob"), 404, "Resource \(done) cannot be found.")
            expectFault(await api.send("GET", "/backups/nope"), 404, "Resource nope cannot be found.")
        }
    }
}
