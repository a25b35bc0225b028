// SPDX-License-Identifier: Apache-2.0

import API
import Model
import PluginHost
import StateStore
import Testing

@Suite("Configuration groups")
struct ConfigurationTests {
    @Test("a group is made, shown in full, listed in short, renamed and removed")
    func life() async throws {
        try await withConfigurations { api in
            let made = await api.send(
                "POST", "/configurations",
                body: [
                    "configuration": [
                        "name": "fast", "description": "for shops",
                        "values": ["MAX_things": 50, "admin_password": "x1"],
                        "datastore": ["type": "mariadb", "version": "10.0"],
                    ]
                ])
            #expect(made.status == 200)
            let group = try #require(made.json["configuration"])
            let id = try #require(group["id"]?.stringValue)
            #expect(group["values"] == ["max_things": 50, "admin_password": "***"])
            #expect(group["datastore_version_name"] == "10.0", "a version that is not active")
            #expect(group["datastore_version_number"] == "10.0.1")
            #expect(group["datastore_name"] == "mariadb")
            #expect(group["instance_count"] == 0)
            #expect(group["description"] == "for shops")
            #expect(group["created"]?.stringValue?.count == 19)
            #expect(await api.send("GET", "/configurations/\(id)").json == made.json)
            let item = try #require(await api.send("GET", "/configurations").json["configurations"]?[0])
            #expect(
                Set((item.objectValue ?? [:]).keys) == [
                    "id", "name", "description", "created", "updated", "datastore_version_id", "datastore_name",
                    "datastore_version_name",
                ])
            let renamed = await api.send(
                "PUT", "/configurations/\(id)", body: ["configuration": ["name": "slow", "description": .null]])
            #expect(renamed.status == 202 && renamed.body.isEmpty)
            let shown = await api.send("GET", "/configurations/\(id)").json["configuration"]
            #expect(shown?["name"] == "slow")
            #expect(shown?["description"] == JSONValue.null)
            #expect(shown?["values"]?["max_things"] == 50, "values that are not given stay")
            let gone = await api.send("DELETE", "/configurations/\(id)")
            #expect(gone.status == 202 && gone.body.isEmpty)
            expectFault(
                await api.send("GET", "/configurations/\(id)"), 404,
                "Configuration group with ID \(id) could not be found.")
        }
    }

    @Test("PUT replaces the values, PATCH adds to them")
    func values() async throws {
        try await withConfigurations { api in
            let id = try await api.group(["max_things": 5, "mode": "fast"])
            let patched = await api.send(
                "PATCH", "/configurations/\(id)", body: ["configuration": ["values": ["max_things": 6, "ratio": 2]]])
            #expect(patched.status == 200 && patched.body.isEmpty)
            #expect(try await api.values(id) == ["max_things": 6, "ratio": 2, "mode": "fast"])
            let put = await api.send(
                "PUT", "/configurations/\(id)", body: ["configuration": ["values": ["on": true]]])
            #expect(put.status == 202 && put.body.isEmpty)
            #expect(try await api.values(id) == ["on": true])
            expectFault(
                await api.send("PATCH", "/configurations/\(id)", body: ["configuration": ["name": "x"]]), 400,
                "Validation error: configuration Additional properties are not allowed ('name' was unexpected)")
        }
    }

    @Test(
        "values that a group cannot have",
        arguments: [
            (["speed": 1], "The configuration parameter speed is not supported for this datastore: mariadb 11.4."),
            (
                ["max_things": "5"],
                "The value provided for the configuration parameter max_things is not of type integer."
            ),
            (
                ["max_things": 1.5],
                "The value provided for the configuration parameter max_things is not of type integer."
            ),
            (["on": 1], "The value provided for the configuration parameter on is not of type boolean."),
            (["ratio": "1"], "The value provided for the configuration parameter ratio is not of type float."),
            (["mode": .null], "The value provided for the configuration parameter mode is not of type string."),
            (
                ["max_things": 0],
                "The value for the configuration parameter max_things is less than the minimum allowed: 1"
            ),
            (
                ["max_things": false],
                "The value for the configuration parameter max_things is less than the minimum allowed: 1"
            ),
            (
                ["max_things": 101],
                "The value for the configuration parameter max_things is greater than the maximum allowed: 100"
            ),
            (
                ["ratio": 2.75],
                "The value for the configuration parameter ratio is greater than the maximum allowed: 2.5"
            ),
            (
                ["mode": "slow"],
                "The value provided for the configuration parameter mode is not one of ['fast', 'safe']."
            ),
            (["mode": "fast", "on": true], "These two do not go together."),
        ] as [(JSONValue, String)])
    func refusals(_ values: JSONValue, _ message: String) async throws {
        try await withConfigurations { api in
            let body: JSONValue = ["configuration": ["name": "g", "values": values]]
            expectFault(await api.send("POST", "/configurations", body: body), 422, message)
            let id = try await api.group([:])
            for verb in ["PUT", "PATCH"] {
                let change: JSONValue = ["configuration": ["values": values]]
                expectFault(await api.send(verb, "/configurations/\(id)", body: change), 422, message)
            }
            #expect(try await api.values(id) == [:])
        }
    }

    @Test("true counts as the integer 1; a datastore without parameters has no groups")
    func kinds() async throws {
        try await withConfigurations { api in
            let id = try await api.group(["max_things": true])
            #expect(try await api.values(id) == ["max_things": 1])
            api.plugins.onPolicy { function, _ throws(PluginError) in
                throw PluginError(.unsupported, pluginID: TestPlugins.engine, "has no \(function.rawValue)")
            }
            expectFault(
                await api.send(
                    "POST", "/configurations", body: ["configuration": ["name": "g", "values": ["a": 1]]]),
                422, "Configuration groups are not supported for this datastore: mariadb 11.4")
        }
    }

    @Test("bodies that are none, and versions that are not there")
    func bodies() async throws {
        try await withConfigurations { api in
            expectFault(
                await api.send("POST", "/configurations", body: [:]), 400,
                "Validation error: 'configuration' is a required property")
            expectFault(
                await api.send("POST", "/configurations", body: ["configuration": ["name": "g"]]), 400,
                "Validation error: configuration 'values' is a required property")
            expectFault(
                await api.send(
                    "POST", "/configurations",
                    body: ["configuration": ["name": "g", "values": [:], "datastore": ["type": "absent"]]]),
                404, "Datastore 'absent' cannot be found.")
            api.plugins.onPolicy { _, _ throws(PluginError) in
                throw PluginError(.notFound, pluginID: "org.example.absent", "is not there")
            }
            expectFault(
                await api.send(
                    "POST", "/configurations",
                    body: [
                        "configuration": [
                            "name": "g", "values": ["a": 1], "datastore": ["type": "mariadb", "version": "12.0"],
                        ]
                    ]), 503,
                "Datastore version '12.0' needs the plugin 'org.example.absent', which is not loaded.")
        }
    }

    @Test("others' groups do not exist, but for administrators")
    func ownership() async throws {
        try await withConfigurations { api in
            let id = try await api.group(["max_things": 5])
            for (verb, path, body) in [
                ("GET", "", nil), ("GET", "/instances", nil), ("DELETE", "", nil),
                ("PUT", "", ["configuration": ["name": "x"]]), ("PATCH", "", ["configuration": [:]]),
            ] as [(String, String, JSONValue?)] {
                expectFault(
                    await api.send(verb, "/configurations/\(id)\(path)", as: "bob", body: body), 404,
                    "Configuration group with ID \(id) could not be found.")
            }
            #expect(await api.send("GET", "/configurations", as: "bob").json == ["configurations": []])
            #expect(
                await api.send("GET", "/configurations", as: "admin").json["configurations"]?.arrayValue?.count == 1)
            #expect(await api.send("GET", "/configurations/\(id)", as: "admin").status == 200)
        }
    }

    @Test("pages of groups and of their instances")
    func pages() async throws {
        try await withConfigurations { api in
            let first = try await api.group([:])
            for _ in 0..<2 { _ = try await api.group([:]) }
            let page = await api.send("GET", "/configurations?limit=2").json
            let shown = (page["configurations"]?.arrayValue ?? []).compactMap { $0["id"]?.stringValue }
            #expect(shown.count == 2 && shown == shown.sorted())
            let next = try #require(page["links"]?[0]?["href"]?.stringValue)
            #expect(next.hasSuffix("/configurations?limit=2&marker=\(shown[1])"))
            let rest = await api.send("GET", "/configurations?limit=2&marker=\(shown[1])").json
            #expect(rest["configurations"]?.arrayValue?.count == 1)
            #expect(rest["links"] == nil)
            for index in 1...3 {
                try await api.insertRunning("aaaaaaaa-0000-4000-8000-00000000000\(index)", name: "db\(index)") {
                    $0.configurationID = first
                }
            }
            let instances = await api.send("GET", "/configurations/\(first)/instances?limit=2").json
            #expect(
                instances["instances"] == [
                    ["id": "aaaaaaaa-0000-4000-8000-000000000001", "name": "db1"],
                    ["id": "aaaaaaaa-0000-4000-8000-000000000002", "name": "db2"],
                ])
            #expect(instances["links"] != nil)
            #expect(await api.send("GET", "/configurations/\(first)").json["configuration"]?["instance_count"] == 3)
            expectFault(
                await api.send("DELETE", "/configurations/\(first)"), 400,
                "A configuration group cannot be deleted if it is associated with one or more non-terminated instances."
                    + " Detach the configuration group from all non-terminated instances and please try again.")
        }
    }
}
