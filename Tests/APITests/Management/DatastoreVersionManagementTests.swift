// SPDX-License-Identifier: Apache-2.0

import API
import Model
import PluginHost
import StateStore
import TestSupport
import Testing

@Suite("Management: datastore versions")
struct DatastoreVersionManagementTests {
    private static let image = "a0000000-0000-4000-8000-000000000001"

    private func create(_ api: APIFixture, _ changes: [String: JSONValue?] = [:]) async -> APIResponse {
        var version: [String: JSONValue] = [
            "name": "11.8", "datastore_name": "mariadb", "datastore_manager": "mariadb", "active": true,
            "image_tags": ["trove", "mariadb"], "packages": ["server", "tools"],
        ]
        for (key, value) in changes { version[key] = value }
        return await api.send(
            "POST", "/mgmt/datastore-versions", as: "admin", body: ["version": .object(version)])
    }

    private func all(_ api: APIFixture) async -> [JSONValue] {
        await api.send("GET", "/mgmt/datastore-versions", as: "admin").json["versions"]?.arrayValue ?? []
    }

    /// The id of the only version of this name.
    private func id(_ api: APIFixture, _ name: String = "11.8") async throws -> String {
        let found = await all(api).filter { $0["name"] == .string(name) }
        #expect(found.count == 1)
        return try #require(found.first?["id"]?.stringValue)
    }

    private func patch(_ api: APIFixture, _ id: String, _ body: JSONValue) async -> APIResponse {
        await api.send("PATCH", "/mgmt/datastore-versions/\(id)", as: "admin", body: body)
    }

    @Test(
        "others than administrators are refused",
        arguments: [
            ("GET", ""), ("GET", "/" + APIFixture.versionID), ("POST", ""), ("PATCH", "/" + APIFixture.versionID),
            ("DELETE", "/" + APIFixture.versionID),
        ])
    func administratorsOnly(method: String, path: String) async throws {
        try await withAPI { api in
            let body: JSONValue? = ["POST", "PATCH"].contains(method) ? [:] : nil
            let response = await api.send(method, "/mgmt/datastore-versions" + path, body: body)
            expectFault(response, 401, "User does not have admin privileges.")
        }
    }

    @Test("the list has every version, inactive ones too, with all that is stored")
    func list() async throws {
        try await withAPI { api in
            let versions = await all(api)
            #expect(versions.count == 4)
            let shown = versions.first { $0["id"] == .string(APIFixture.versionID) }
            #expect(
                shown == [
                    "id": .string(APIFixture.versionID), "name": "11.4", "version": "11.4.1",
                    "datastore_id": .string(APIFixture.datastoreID), "datastore_name": "mariadb",
                    "datastore_manager": "mariadb", "image": .null, "image_tags": [""], "packages": ["a", "b"],
                    "active": true, "registry_ext": .null, "repl_strategy": .null, "default": true,
                ])
            #expect(versions.contains { $0["active"] == false })
            let one = await api.send("GET", "/mgmt/datastore-versions/\(APIFixture.versionID)", as: "admin")
            #expect(one.json["version"] == shown)
            expectFault(
                await api.send("GET", "/mgmt/datastore-versions/none", as: "admin"), 400,
                "Datastore version 'none' cannot be found.")
        }
    }

    @Test("a version that was made is shown, can be had, and its answer is really empty")
    func create() async throws {
        try await withAPI { api in
            let made = await create(
                api,
                [
                    "version": "11.8.2", "registry_ext": "a.Manager", "repl_strategy": "a.Strategy", "default": nil,
                    "image": .string(Self.image),
                ])
            #expect(made.status == 202 && made.body.isEmpty)
            let id = try await id(api)
            let shown = await api.send("GET", "/mgmt/datastore-versions/\(id)", as: "admin").json["version"]
            #expect(shown?["version"] == "11.8.2" && shown?["image"] == .string(Self.image))
            #expect(shown?["image_tags"] == ["trove", "mariadb"] && shown?["packages"] == ["server", "tools"])
            #expect(shown?["registry_ext"] == "a.Manager" && shown?["repl_strategy"] == "a.Strategy")
            #expect(shown?["datastore_manager"] == "mariadb" && shown?["default"] == false)
            let publicView = await api.send("GET", "/datastores/versions/\(id)", as: "admin").json["version"]
            #expect(publicView?["image"] == .string(Self.image) && publicView?["image_tags"] == ["trove", "mariadb"])
            let record = try await api.store.read { try $0.datastores.version(id) }
            #expect(record?.plugins == ["datastore": .string(TestPlugins.engine), "backup": "org.example.backup"])
            let instance: JSONValue = [
                "instance": [
                    "name": "new", "flavorRef": "1", "volume": ["size": 1],
                    "datastore": ["type": "mariadb", "version": "11.8"],
                ]
            ]
            #expect(await api.send("POST", "/instances", body: instance).status == 200)
        }
    }

    @Test("the number is the name unless it is said; a new datastore is made; the default is set")
    func newDatastore() async throws {
        try await withAPI { api in
            let made = await create(
                api,
                [
                    "datastore_name": "new", "datastore_manager": .string(TestPlugins.engine), "default": true,
                    "packages": [],
                ])
            #expect(made.status == 202)
            let id = try await id(api)
            let shown = await api.send("GET", "/mgmt/datastore-versions/\(id)", as: "admin").json["version"]
            #expect(shown?["version"] == "11.8" && shown?["default"] == true && shown?["packages"] == [""])
            #expect(
                await api.send("GET", "/datastores/new").json["datastore"]?["default_version"] == .string(id))
            // What serves the plugin's other versions comes with it.
            let record = try await api.store.read { try $0.datastores.version(id) }
            #expect(record?.plugins["backup"] == "org.example.backup")
        }
    }

    @Test("what is wrong with a new version is said, and nothing is made")
    func refusals() async throws {
        try await withAPI { api in
            for (changes, message) in [
                (["name": "11.4", "version": "11.4.1"], "The datastore version '11.4(11.4.1)' already exists."),
                (["image_tags": nil], "Image must be specified."), (["image_tags": []], "Image must be specified."),
                (["active": false, "default": true], "Datastore version '11.8' is not active."),
                (
                    ["datastore_name": "new", "datastore_manager": "nobody"],
                    "Datastore manager 'nobody' is not known: name a loaded datastore plugin (id or id@version) or one"
                        + " of the datastores mariadb, other."
                ),
                (["active": 1], "Validation error: version['active'] 1 is not of type 'boolean'"),
                (["image": "x"], nil), (["stranger": 1], nil), (["name": nil], nil), (["datastore_manager": nil], nil),
                (["image_tags": ["a", "a"]], nil), (["image_tags": ["a", "b", "c", "d", "e", "f"]], nil),
                (["image_tags": ["123456789012345678901"]], nil), (["packages": [""]], nil),
            ] as [([String: JSONValue?], String?)] {
                let response = await create(api, changes)
                #expect(response.status == 400, "\(changes)")
                if let message { expectFault(response, 400, message) }
            }
            #expect(await all(api).count == 4)
            let datastores = await api.send("GET", "/datastores", as: "admin").json["datastores"]?.arrayValue
            #expect(datastores?.count == 2)
            #expect(await api.send("POST", "/mgmt/datastore-versions", as: "admin", body: [:]).status == 400)
        }
    }

    @Test("a patch changes what it names")
    func patch() async throws {
        try await withAPI { api in
            #expect(await create(api, ["image": .string(Self.image), "image_tags": []]).status == 202)
            let id = try await id(api)
            func shown() async -> JSONValue? {
                await api.send("GET", "/mgmt/datastore-versions/\(id)", as: "admin").json["version"]
            }
            let before = await shown()
            let answer = await patch(api, id, [:])
            #expect(answer.status == 202 && answer.body.isEmpty)
            #expect(await shown() == before)
            #expect(await patch(api, id, ["image_tags": ["t"]]).status == 202)
            var now = await shown()
            #expect(now?["image"] == .null && now?["image_tags"] == ["t"])
            let many: JSONValue = [
                "name": "renamed", "packages": ["p"], "registry_ext": "r", "repl_strategy": "s", "default": true,
            ]
            #expect(await patch(api, id, many).status == 202)
            now = await shown()
            #expect(now?["name"] == "renamed" && now?["packages"] == ["p"] && now?["default"] == true)
            #expect(now?["registry_ext"] == "r" && now?["repl_strategy"] == "s")
            #expect(await patch(api, id, ["default": false, "active": false]).status == 202)
            now = await shown()
            #expect(now?["active"] == false && now?["default"] == false)
            #expect(await patch(api, id, ["datastore_manager": .string(TestPlugins.engine)]).status == 202)
            now = await shown()
            #expect(now?["datastore_manager"] == .string(TestPlugins.engine))
            for (body, message) in [
                (["image": .null, "image_tags": []], "Image must be specified."),
                (["default": true], "Datastore version 'renamed' is not active."), (["version": "2"], nil),
                (["datastore_manager": "nobody"], nil), (["active": "yes"], nil),
            ] as [(JSONValue, String?)] {
                let response = await patch(api, id, body)
                #expect(response.status == 400, "\(body)")
                if let message { expectFault(response, 400, message) }
            }
            #expect(await shown() == now)
            // Another number of the same name is another version.
            #expect(await patch(api, id, ["name": "11.4"]).status == 202)
            #expect(await create(api, ["name": "taken", "version": "11.8"]).status == 202)
            expectFault(
                await patch(api, id, ["name": "taken"]), 400,
                "The datastore version 'taken(11.8)' already exists.")
            expectFault(
                await patch(api, "none", [:]), 400, "Datastore version 'none' cannot be found.")
        }
    }

    @Test("what an operator's file names is changed there")
    func files() async throws {
        try await withAPI { api in
            try await api.store.write(.relaxed) { transaction in
                guard var version = try transaction.datastores.version(APIFixture.versionID) else { return }
                version.sourceFile = "mariadb.yaml"
                try transaction.datastores.upsert(version)
            }
            let message =
                "Datastore version '11.4' is from the operator's file datastores/mariadb.yaml; change it there."
            expectFault(await patch(api, APIFixture.versionID, ["active": false]), 409, message)
            let path = "/mgmt/datastore-versions/\(APIFixture.versionID)"
            expectFault(await api.send("DELETE", path, as: "admin"), 409, message)
            expectFault(
                await create(api, ["default": true]), 409,
                "The default version of datastore 'mariadb' is from the operator's file datastores/mariadb.yaml;"
                    + " change it there.")
            #expect(await create(api).status == 202)
        }
    }

    @Test("a version is removed once nothing is of it, and its name is free again")
    func delete() async throws {
        try await withAPI { api in
            #expect(await create(api, ["default": true]).status == 202)
            let id = try await id(api)
            let path = "/mgmt/datastore-versions/\(id)"
            let instance = try await api.insertRunning(version: id)
            expectFault(
                await api.send("DELETE", path, as: "admin"), 400, "Datastore version is in use by instance.")
            let now = api.clock.now
            try await api.store.write(.relaxed) { try $0.instances.markDeleted(instance, now: now) }
            let answer = await api.send("DELETE", path, as: "admin")
            #expect(answer.status == 202 && answer.body.isEmpty)
            expectFault(
                await api.send("DELETE", path, as: "admin"), 400, "Datastore version '\(id)' cannot be found.")
            #expect(await all(api).count == 4)
            #expect(
                await api.send("GET", "/datastores/mariadb").json["datastore"]?["default_version"] == nil)
            // What is no more still says what it was.
            let gone = await api.send("GET", "/mgmt/instances/\(instance)?deleted=true", as: "admin")
            #expect(gone.json["instance"]?["datastore"]?["version"] == "11.8")
            #expect(await create(api).status == 202)
            #expect(try await self.id(api) != id)
            _ = try await api.insertBackup(instance: nil)
            expectFault(
                await api.send(
                    "DELETE", "/mgmt/datastore-versions/\(APIFixture.versionID)", as: "admin"), 400,
                "Datastore version is in use by backup.")
        }
    }

    @Test("a datastore is removed once it has no versions; the next of its name has its id")
    func deleteDatastore() async throws {
        try await withAPI { api in
            expectFault(
                await api.send("DELETE", "/datastores/other"), 403,
                "Policy doesn't allow datastore:delete to be performed.")
            expectFault(
                await api.send("DELETE", "/datastores/other", as: "admin"), 400,
                "Datastore versions exist for datastore other.")
            let version = "/mgmt/datastore-versions/\(APIFixture.otherVersionID)"
            #expect(await api.send("DELETE", version, as: "admin").status == 202)
            let before = await api.send("GET", "/datastores/other", as: "admin").json["datastore"]?["id"]
            let answer = await api.send("DELETE", "/datastores/other", as: "admin")
            #expect(answer.status == 202 && answer.body.isEmpty)
            for method in ["GET", "DELETE"] {
                expectFault(
                    await api.send(method, "/datastores/other", as: "admin"), 404,
                    "Datastore 'other' cannot be found.")
            }
            #expect(await create(api, ["datastore_name": "other"]).status == 202)
            #expect(await api.send("GET", "/datastores/other").json["datastore"]?["id"] == before)
        }
    }
}
