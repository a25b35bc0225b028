// SPDX-License-Identifier: Apache-2.0

import Model
import Testing

extension EndToEnd {
    /// Who may connect to a real server, seen by connecting from two addresses.
    @Suite("Access rules", .serialized)
    struct AccessTests {
        private static let friend = "127.90.0.7"
        private static let stranger = "127.91.0.8"

        /// Whether the friend and the stranger reach the server.
        private func reach(_ address: String) -> [Bool] {
            [Self.friend, Self.stranger].map { BoundConnection.greets(address, 3306, from: $0) }
        }

        @Test(
            "rules decide who connects, from the start to the end, whoever restarts, and as security groups",
            .timeLimit(.minutes(10)))
        func life() async throws {
            try await ControlPlane.with { plane in
                var client = try await RESTClient.login(plane)
                let id = try await client.create(
                    name: "walled", extra: ["access": ["is_public": false, "allowed_cidrs": ["127.90.0.7/32"]]])
                let path = "/instances/\(id)"
                let made = try await client.wait(id, for: "ACTIVE")
                #expect(made["access"]?["allowed_cidrs"] == ["127.90.0.7/32"])
                let address = try SQL.address(made)
                #expect(reach(address) == [true, false])
                // The agent's own way to the server is open.
                try await client.must("POST", path + "/databases", ["databases": [["name": "shop"]]])

                try await put(["allowed_cidrs": ["127.91.0.0/16"]], path, client)
                #expect(reach(address) == [false, true])
                try await put([:], path, client)
                #expect(reach(address) == [true, true])
                let open = try await client.must("GET", path)["instance"]
                #expect(open?["access"] == ["is_public": false, "allowed_cidrs": []])
                #expect(open?["status"] == "ACTIVE")

                try await securityGroups(id, address, client)

                // A host that lost its filter, and an engine and an agent that begin anew.
                try await plane.kill9()
                let table = "trove_" + StableHash.digits(plane.home.utf8)
                #expect(try await Command.run(["/usr/sbin/nft", "delete", "table", "ip", table]).status == 0)
                #expect(reach(address) == [true, true])
                try await plane.start()
                client = try await RESTClient.login(plane)
                #expect(reach(address) == [true, false])
                try await client.must("POST", path + "/action", ["restart": [:]])
                try await client.wait(id, for: "ACTIVE")
                #expect(reach(address) == [true, false])
                try await eventually(30, "the agent answers") {
                    try await client.call("GET", path + "/databases").status == 200
                }

                try await client.delete(id)
                let audit = try await plane.trove(["audit"])
                #expect(audit.status == 0, "\(audit.output)")
                #expect(try await Command.run(["/usr/sbin/nft", "list", "table", "ip", table]).status != 0)
            }
        }

        private func put(_ access: JSONValue, _ path: String, _ client: RESTClient) async throws {
            try await client.must("PUT", path, ["instance": ["access": access]])
        }

        /// Leaves the instance with a rule for the friend.
        private func securityGroups(_ id: String, _ address: String, _ client: RESTClient) async throws {
            let all = try await client.must("GET", "/security-groups")["security_groups"]
            #expect(all?.arrayValue?.count == 1)
            let first = try await client.must("GET", "/security-groups/\(id)")["security_group"]
            #expect(first?["instance_id"] == .string(id))
            #expect(first?["rules"]?[0]?["cidr"] == "0.0.0.0/0")
            #expect(first?["rules"]?[0]?["from_port"] == 3306)
            let everybody = try #require(first?["rules"]?[0]?["id"]?.stringValue)
            let refused = try await client.call("DELETE", "/security-group-rules/\(everybody)")
            #expect(refused.status == 400, "an instance is never opened by taking a rule away")

            let body: JSONValue = [
                "security_group_rule": ["group_id": first?["id"] ?? .null, "cidr": .string(Self.stranger + "/32")]
            ]
            let made = try await client.call("POST", "/security-group-rules", body)
            #expect(made.status == 201)
            let rule = try #require(made.body?["security_group_rule"]?[0]?["id"]?.stringValue)
            try await client.must("DELETE", "/security-group-rules/\(everybody)")
            #expect(reach(address) == [false, true])
            let shown = try await client.must("GET", "/instances/\(id)")["instance"]
            #expect(shown?["access"]?["allowed_cidrs"] == [.string(Self.stranger + "/32")])
            let other: JSONValue = [
                "security_group_rule": ["group_id": .string(id), "cidr": .string(Self.friend + "/32")]
            ]
            try await client.must("POST", "/security-group-rules", other)
            #expect(reach(address) == [true, true])
            #expect(try await client.call("DELETE", "/security-group-rules/\(rule)").status == 204)
            #expect(reach(address) == [true, false])
        }
    }
}
