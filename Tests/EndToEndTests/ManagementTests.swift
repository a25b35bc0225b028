// SPDX-License-Identifier: Apache-2.0

import Foundation
import Model
import Testing

extension EndToEnd {
    @Suite("Management", .serialized)
    struct ManagementTests {
        @Test("administrators look into an instance, stop its engine and reboot it", .timeLimit(.minutes(5)))
        func instance() async throws {
            try await ControlPlane.with { plane in
                let client = try await RESTClient.login(plane)
                let admin = try await RESTClient.login(plane, asAdministrator: true)
                let id = try await client.create(
                    name: "looked-at",
                    extra: [
                        "databases": [["name": "shop"]],
                        "users": [["name": "clerk", "password": "s3cret", "databases": [["name": "shop"]]]],
                    ])
                let address = try SQL.address(try await client.wait(id, for: "ACTIVE"))
                _ = try await SQL.run(
                    address, user: "clerk", password: "s3cret", database: "shop",
                    "CREATE TABLE t (n INT); INSERT INTO t VALUES (7)")
                let path = "/mgmt/instances/\(id)"
                #expect(try await client.call("GET", path).status == 401)
                let shown = try await admin.must("GET", path)["instance"]
                #expect(shown?["server"]?["status"] == "ACTIVE" && shown?["service_status"] == "HEALTHY")
                let diagnostics = try await admin.must("GET", path + "/diagnostics")["diagnostics"]
                #expect((diagnostics?["vmRss"]?.intValue ?? 0) > 0 && (diagnostics?["threads"]?.intValue ?? 0) > 0)
                let hardware = try await admin.must("GET", path + "/hwinfo")["hwinfo"]
                #expect((hardware?["mem_total"]?.intValue ?? 0) >= 256 * 1024)
                #expect(try await admin.call("GET", path + "/rpc_ping").status == 204)

                try await replaceAgent(plane, client, admin, id)
                try await admin.must("POST", path + "/action", ["stop": [:]])
                try await eventually(30, "the stopped engine is reported") {
                    try await admin.must("GET", path)["instance"]?["service_status"] == "SHUTDOWN"
                }
                try await admin.must("POST", path + "/action", ["reboot": [:]])
                try await client.wait(id, for: "ACTIVE")
                try await client.must("GET", "/instances/\(id)/databases")
                #expect(
                    try await SQL.run(address, user: "clerk", password: "s3cret", database: "shop", "SELECT n FROM t")
                        == "7")
                try await client.delete(id)
                #expect(try await admin.call("GET", path).status == 404)
                let gone = try await admin.must("GET", path + "?deleted=true")["instance"]
                #expect(gone?["deleted"] == true && gone?["status"] == "SHUTDOWN")
            }
        }

        /// Asked for one instance and for all of the host, the agent is another one; the engine is the same.
        private func replaceAgent(
            _ plane: ControlPlane, _ client: RESTClient, _ admin: RESTClient, _ id: String
        ) async throws {
            let engine = try #require(plane.engine(of: id))
            let hosts = try await admin.must("GET", "/mgmt/hosts")["hosts"]?.arrayValue ?? []
            let host = try #require(hosts.first { $0["instanceCount"] == 1 }?["name"]?.stringValue)
            let requests: [(String, JSONValue)] = [
                ("/mgmt/instances/\(id)/upgrade", ["upgrade": [:]]),
                ("/mgmt/hosts/\(host)/instances/action", ["update": [:]]),
            ]
            for (path, body) in requests {
                let agent = try #require(plane.agent(of: id))
                #expect(try await client.call("POST", path, body).status == 401)
                try await admin.must("POST", path, body)
                try await eventually(30, "another agent runs") { plane.agent(of: id).map { $0 != agent } ?? false }
                try await eventually(30, "it answers") {
                    try await client.call("GET", "/instances/\(id)/databases").status == 200
                }
                #expect(plane.engine(of: id) == engine)
                try await eventually(30, "the operation has ended") {
                    try await client.events(of: id).last?["event"] == "operation_done"
                }
            }
            let older = try await admin.call(
                "POST", "/mgmt/instances/\(id)/upgrade", ["upgrade": ["instance_version": "0.0.1"]])
            #expect(older.status == 400 && older.body?.text.contains("0.0.1") == true)
        }

        @Test("a version that an administrator made outlives reloads; a file's is the file's", .timeLimit(.minutes(5)))
        func versions() async throws {
            try await ControlPlane.with { plane in
                let client = try await RESTClient.login(plane)
                let admin = try await RESTClient.login(plane, asAdministrator: true)
                func named(_ name: String) async throws -> JSONValue? {
                    let versions = try await admin.must("GET", "/mgmt/datastore-versions")["versions"]?.arrayValue
                    return versions?.first { $0["name"] == .string(name) && $0["datastore_name"] == "mariadb" }
                }
                try await admin.must(
                    "POST", "/mgmt/datastore-versions",
                    [
                        "version": [
                            "name": "own", "datastore_name": "mariadb", "datastore_manager": "mariadb", "active": true,
                            "image_tags": ["none"],
                        ]
                    ])
                let own = try #require(try await named("own")?["id"]?.stringValue)
                let files = try #require(try await named("10.11")?["id"]?.stringValue)
                let refused = try await admin.call("PATCH", "/mgmt/datastore-versions/\(files)", ["active": false])
                #expect(refused.status == 409)
                let folder = plane.home + "/config/datastores"
                try FileManager.default.removeItem(atPath: folder + "/mariadb.yaml")
                try await plane.hangup()
                try await eventually(20, "the file's version is not active any more") {
                    try await named("10.11")?["active"] == false
                }
                #expect(try await named("own")?["active"] == true)
                let answer = try await client.must(
                    "POST", "/instances",
                    [
                        "instance": [
                            "name": "of-own", "flavorRef": "1", "volume": ["size": 1],
                            "datastore": ["type": "mariadb", "version": "own"],
                        ]
                    ])
                let id = try #require(answer["instance"]?["id"]?.stringValue)
                try await client.wait(id, for: "ACTIVE")
                let used = try await admin.call("DELETE", "/mgmt/datastore-versions/\(own)")
                #expect(used.status == 400)
                try await client.delete(id)
                for version in [own, files] {
                    #expect(try await admin.call("DELETE", "/mgmt/datastore-versions/\(version)").status == 202)
                }
            }
        }
    }
}
