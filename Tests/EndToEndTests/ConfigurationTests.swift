// SPDX-License-Identifier: Apache-2.0

import Foundation
import Model
import Testing

extension EndToEnd {
    /// Configuration groups on a real server, seen by asking it.
    @Suite("Configuration groups", .serialized)
    struct ConfigurationTests {
        private static let users: JSONValue = [
            "users": [["name": "clerk", "password": "s3cret", "databases": []]]
        ]

        @Test(
            "a group is in effect at once or after a restart, outlives agent and restart, and goes",
            .timeLimit(.minutes(10)))
        func life() async throws {
            try await ControlPlane.with { plane in
                let client = try await RESTClient.login(plane)
                let id = try await client.create(name: "tuned", extra: Self.users)
                let address = try SQL.address(try await client.wait(id, for: "ACTIVE"))
                let before = try await variable("max_connections", address)
                let defaults = try await client.must("GET", "/instances/\(id)/configuration")["instance"]
                #expect(defaults?["configuration"]?["max_connections"] == .string(before))

                let group = try await makeGroup(client, ["max_connections": 47])
                try await client.must("PUT", "/instances/\(id)", ["instance": ["configuration": .string(group)]])
                #expect(try await variable("max_connections", address) == "47")
                let shown = try await client.must("GET", "/instances/\(id)")["instance"]
                #expect(shown?["status"] == "ACTIVE")
                #expect(shown?["configuration"]?["id"] == .string(group))
                #expect(try await client.call("DELETE", "/configurations/\(group)").status == 400)

                let change: JSONValue = ["configuration": ["values": ["max_connections": 48, "back_log": 61]]]
                try await client.must("PATCH", "/configurations/\(group)", change)
                #expect(try await variable("max_connections", address) == "48")
                #expect(try await variable("back_log", address) != "61")
                let waiting = try await client.must("GET", "/instances/\(id)")["instance"]
                #expect(waiting?["status"] == "RESTART_REQUIRED")
                try await client.must("POST", "/instances/\(id)/action", ["restart": [:]])
                try await client.wait(id, for: "ACTIVE")
                #expect(try await variable("back_log", address) == "61")
                #expect(try await variable("max_connections", address) == "48")

                try await replaceAgent(plane, id)
                try await client.must("POST", "/instances/\(id)/action", ["restart": [:]])
                try await client.wait(id, for: "ACTIVE")
                #expect(try await variable("max_connections", address) == "48")

                try await client.must("PUT", "/instances/\(id)", ["instance": ["configuration": .null]])
                #expect(try await variable("max_connections", address) == before)
                let after = try await client.must("GET", "/instances/\(id)")["instance"]
                #expect(after?["status"] == "RESTART_REQUIRED")
                #expect(after?["configuration"] == nil)
                try await client.must("POST", "/instances/\(id)/action", ["restart": [:]])
                try await client.wait(id, for: "ACTIVE")
                #expect(try await variable("back_log", address) != "61")
                try await client.must("DELETE", "/configurations/\(group)")
                try await client.delete(id)
            }
        }

        @Test("an instance is made, and restored, with a group", .timeLimit(.minutes(10)))
        func fromTheStart() async throws {
            try await ControlPlane.with { plane in
                let client = try await RESTClient.login(plane)
                let group = try await makeGroup(client, ["max_connections": 51, "back_log": 62])
                var extra = Self.users.objectValue ?? [:]
                extra["configuration"] = .string(group)
                let id = try await client.create(name: "made", extra: .object(extra))
                let address = try SQL.address(try await client.wait(id, for: "ACTIVE"))
                #expect(try await variable("max_connections", address) == "51")
                #expect(try await variable("back_log", address) == "62")
                let answer = try await client.must(
                    "POST", "/backups", ["backup": ["name": "b", "instance": .string(id)]])
                let backup = try #require(answer["backup"]?["id"]?.stringValue)
                try await client.waitBackup(backup, for: "COMPLETED")
                let copy = try await client.create(
                    name: "restored", backup: backup, extra: ["configuration": .string(group)])
                let other = try SQL.address(try await client.wait(copy, for: "ACTIVE"))
                #expect(try await variable("max_connections", other) == "51")
                let instances = try await client.must("GET", "/configurations/\(group)/instances")["instances"]
                #expect(
                    Set((instances?.arrayValue ?? []).compactMap { $0["id"]?.stringValue }) == Set([id, copy]))
                try await client.must(
                    "PUT", "/configurations/\(group)", ["configuration": ["values": ["max_connections": 52]]])
                for address in [address, other] { #expect(try await variable("max_connections", address) == "52") }
                try await client.must("DELETE", "/backups/\(backup)")
                for id in [id, copy] { try await client.delete(id) }
                try await client.must("DELETE", "/configurations/\(group)")
            }
        }

        @Test(
            "a group that the server refuses is not attached, and one that it does not start with can go",
            .timeLimit(.minutes(10)))
        func trouble() async throws {
            try await ControlPlane.with { plane in
                let client = try await RESTClient.login(plane)
                let id = try await client.create(name: "picky", extra: Self.users)
                let address = try SQL.address(try await client.wait(id, for: "ACTIVE"))
                let before = try await variable("max_connections", address)
                let wrong = try await makeGroup(client, ["max_connections": 53, "sql_mode": "NO_SUCH_MODE"])
                let refused = try await client.call(
                    "PUT", "/instances/\(id)", ["instance": ["configuration": .string(wrong)]])
                #expect(refused.status == 400)
                #expect(refused.body?.text.contains("An error occurred communicating with the guest") == true)
                #expect(try await variable("max_connections", address) == before, "nothing of it is left")
                let shown = try await client.must("GET", "/instances/\(id)")["instance"]
                #expect(shown?["configuration"] == nil && shown?["status"] == "ACTIVE")
                try await client.must("DELETE", "/configurations/\(wrong)")

                // Taken while it runs; a start refuses it beside the collation that goes with another character set.
                let fatal = try await makeGroup(client, ["character_set_server": "latin1"])
                try await client.must("PUT", "/instances/\(id)", ["instance": ["configuration": .string(fatal)]])
                try await client.must("POST", "/instances/\(id)/action", ["restart": [:]])
                try await eventually(120, "the restart has ended") {
                    try await client.must("GET", "/instances/\(id)")["instance"]?["status"] != "REBOOT"
                }
                try await eventually(60, "the group can be taken away") {
                    try await client.call("PUT", "/instances/\(id)", ["instance": ["configuration": .null]]).status
                        == 202
                }
                try await client.must("POST", "/instances/\(id)/action", ["restart": [:]])
                try await client.wait(id, for: "ACTIVE")
                #expect(try await variable("max_connections", address) == before)
                try await client.delete(id)
            }
        }

        private func makeGroup(_ client: RESTClient, _ values: JSONValue) async throws -> String {
            let answer = try await client.must(
                "POST", "/configurations",
                [
                    "configuration": [
                        "name": "tuning", "values": values, "datastore": ["type": "mariadb", "version": "10.11"],
                    ]
                ])
            return try #require(answer["configuration"]?["id"]?.stringValue)
        }

        private func variable(_ name: String, _ address: String) async throws -> String {
            try await SQL.run(address, user: "clerk", password: "s3cret", "SELECT @@global.\(name)")
        }

        /// Ends the instance's agent and waits for the next one.
        private func replaceAgent(_ plane: ControlPlane, _ id: String) async throws {
            let client = try await RESTClient.login(plane)
            let agent = try #require(RecoveryTests.agent(of: id, in: plane))
            kill(agent, SIGKILL)
            try await eventually(30, "another agent is there") {
                RecoveryTests.agent(of: id, in: plane).map { $0 != agent } ?? false
            }
            try await eventually(60, "the new agent answers") {
                try await client.call("GET", "/instances/\(id)/databases").status == 200
            }
        }
    }
}
