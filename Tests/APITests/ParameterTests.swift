// SPDX-License-Identifier: Apache-2.0

import API
import Model
import Testing

@Suite("Configuration parameters")
struct ParameterTests {
    private static let managed = "/mgmt/datastores/versions/\(APIFixture.versionID)/parameters"

    private func definition(_ name: String, _ more: [String: JSONValue] = [:]) -> JSONValue {
        let common: [String: JSONValue] = [
            "name": .string(name), "restart_required": 1, "data_type": "integer", "max_size": 20, "min_size": 0,
        ]
        return ["configuration-parameter": .object(common.merging(more) { $1 })]
    }

    @Test("the plugin's parameters are listed and shown, by names and by the version's id")
    func read() async throws {
        try await withConfigurations { api in
            for path in ["/datastores/mariadb/versions/11.4", "/datastores/versions/\(APIFixture.versionID)"] {
                let list =
                    await api.send("GET", path + "/parameters").json["configuration-parameters"]?.arrayValue ?? []
                #expect(
                    list.compactMap { $0["name"]?.stringValue } == [
                        "admin_password", "max_things", "mode", "on", "ratio",
                    ])
                let things: JSONValue = [
                    "name": "max_things", "datastore_version_id": .string(APIFixture.versionID),
                    "restart_required": false, "type": "integer", "max": 100, "min": 1,
                ]
                #expect(await api.send("GET", path + "/parameters/max_things").json == things)
                #expect(list.contains(things))
                let ratio = await api.send("GET", path + "/parameters/ratio").json
                #expect(ratio["max"] == 2.5)
                #expect(ratio["min"] == nil, "a bound of 0 is left out")
                expectFault(
                    await api.send("GET", path + "/parameters/absent"), 404, "Resource absent cannot be found.")
            }
            expectFault(
                await api.send("GET", "/datastores/versions/absent/parameters"), 400,
                "Datastore version 'absent' cannot be found.")
            expectFault(
                await api.send("GET", "/datastores/mariadb/versions/absent/parameters/x"), 400,
                "Datastore version 'absent' cannot be found.")
        }
    }

    @Test("what an administrator defines takes the plugin's place until it is removed")
    func manage() async throws {
        try await withConfigurations { api in
            let made = await api.send("POST", Self.managed, as: "admin", body: definition("depth"))
            #expect(made.status == 200)
            #expect(
                made.json == [
                    "name": "depth", "datastore_version_id": .string(APIFixture.versionID), "restart_required": true,
                    "type": "integer", "max_size": 20, "min_size": 0,
                ])
            expectFault(
                await api.send("POST", Self.managed, as: "admin", body: definition("depth")), 400,
                "Parameter depth already exists in the database.")
            #expect(
                await api.send(
                    "POST", "/configurations", body: ["configuration": ["name": "g", "values": ["depth": 3]]]
                )
                .status == 200)
            let narrower = definition("ignored", ["max_size": "7"])
            let changed = await api.send("PUT", Self.managed + "/max_things", as: "admin", body: narrower)
            #expect(changed.status == 200)
            #expect(changed.json["name"] == "max_things")
            #expect(changed.json["max_size"] == 7)
            expectFault(
                await api.send(
                    "POST", "/configurations", body: ["configuration": ["name": "g", "values": ["max_things": 8]]]),
                422, "The value for the configuration parameter max_things is greater than the maximum allowed: 7")
            let list = await api.send("GET", Self.managed, as: "admin").json["configuration-parameters"]?.arrayValue
            #expect(list?.count == 6)
            #expect(list?.contains { $0["name"] == "max_things" && $0["max_size"] == 7 } == true)
            let gone = await api.send("DELETE", Self.managed + "/max_things", as: "admin")
            #expect(gone.status == 204 && gone.body.isEmpty)
            #expect(await api.send("GET", Self.managed + "/max_things", as: "admin").json["max_size"] == 100)
            expectFault(
                await api.send("DELETE", Self.managed + "/max_things", as: "admin"), 400,
                "Parameter max_things does not exist in the database.")
            expectFault(
                await api.send("PUT", Self.managed + "/absent", as: "admin", body: narrower), 400,
                "Parameter absent does not exist in the database.")
        }
    }

    @Test("definitions that are none, and who may not define any")
    func refusals() async throws {
        try await withConfigurations { api in
            for (more, message) in [
                (["max_size": .null], "max_size is required for integer data type."),
                (["min_size": .null], "min_size is required for integer data type."),
                (["min_size": 21], "max_size must be greater than or equal to min_size."),
                (
                    ["data_type": "float"],
                    "Validation error: configuration-parameter['data_type'] 'float' does not match 'integer|string'"
                ),
                (
                    ["restart_required": true],
                    "Validation error: configuration-parameter['restart_required'] True is not of type 'integer'"
                ),
            ] as [([String: JSONValue], String)] {
                expectFault(
                    await api.send("POST", Self.managed, as: "admin", body: definition("x", more)), 400, message)
            }
            for (verb, path) in [
                ("GET", ""), ("POST", ""), ("GET", "/mode"), ("PUT", "/mode"), ("DELETE", "/mode"),
            ] {
                expectFault(
                    await api.send(verb, Self.managed + path, body: definition("x")), 401,
                    "User does not have admin privileges.")
            }
        }
    }
}
