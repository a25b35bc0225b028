// SPDX-License-Identifier: Apache-2.0

import API
import Model
import StateStore
import Testing

@Suite("Access rules and security groups")
struct AccessTests {
    private let id = "aaaaaaaa-0000-4000-8000-0000000000aa"

    private func allow(_ api: APIFixture, _ networks: [String], as token: String = "alice") async -> APIResponse {
        let access: JSONValue = ["allowed_cidrs": .array(networks.map(JSONValue.string))]
        return await api.send("PUT", "/instances/\(id)", as: token, body: ["instance": ["access": access]])
    }

    private func addRule(_ api: APIFixture, _ cidr: String, as token: String = "alice") async -> APIResponse {
        await api.send(
            "POST", "/security-group-rules", as: token,
            body: ["security_group_rule": ["group_id": .string(id), "cidr": .string(cidr)]])
    }

    private func allowed(_ api: APIFixture) async -> JSONValue? {
        await api.send("GET", "/instances/\(id)").json["instance"]?["access"]?["allowed_cidrs"]
    }

    @Test("an update writes the rules, the task and an operation at once; another one comes after it")
    func update() async throws {
        try await withConfigurations { api in
            try await api.insertRunning(id)
            #expect(await allow(api, ["10.0.0.0/8"]).status == 202)
            let rows = try await api.store.read { try $0.journal.live(resourceID: id) }
            #expect(rows.map(\.flow) == ["update_access"])
            let rules: JSONValue = ["is_public": false, "allowed_cidrs": ["10.0.0.0/8"]]
            #expect(
                rows.first?.input == [
                    "instance_id": .string(id), "access": rules, "previous": .null, "was_restart_required": false,
                ])
            let instance = try #require(try await api.store.read { try $0.instances.find(id) })
            #expect(instance.task == .updating && instance.access == rules)
            #expect(await api.send("GET", "/instances/\(id)").json["instance"]?["access"] == rules)
            #expect(await allow(api, []).status == 202)
            #expect(try await api.store.read { try $0.journal.live(resourceID: id) }.count == 2)
            #expect(await allow(api, ["10.0.0.0/8"], as: "bob").status == 404)
        }
    }

    @Test("what this process's host cannot enforce is refused")
    func unenforceable() async throws {
        var configuration = APIFixture.configuration
        configuration.operationPatience = .milliseconds(50)
        configuration.hostFacts = {
            HostFacts(
                name: "h", memoryMiB: 1, volumeBytes: 1, freeVolumeBytes: 1, promisableBytes: 1, promisedBytes: 0,
                accessRefusal: "no nft")
        }
        try await withAPI(configuration) { api in
            try await api.insertRunning(id)
            let refused = await allow(api, ["10.0.0.0/8"])
            #expect(refused.status == 501)
            #expect(
                refused.fault.message
                    == "Access rules ('access.allowed_cidrs') cannot be enforced on this host: no nft.")
            #expect(await allow(api, ["10.0.0.0/8", "0.0.0.0/0"]).status == 202, "everybody needs no filter")
        }
    }

    @Test("a security group is the instance's rules, and changes them")
    func groups() async throws {
        try await withConfigurations { api in
            try await api.insertRunning(id)
            let group = await api.send("GET", "/security-groups/\(id)").json["security_group"]
            #expect(group?["rules"]?.arrayValue?.count == 1)
            #expect(group?["rules"]?[0]?["cidr"] == "0.0.0.0/0")
            #expect(group?["rules"]?[0]?["from_port"] == 1)
            #expect(group?["instance_id"] == .string(id))
            #expect(
                group?["links"]?[0]?["href"]?.stringValue?.hasSuffix("/security-groups/\(id)") == true)
            #expect(await api.send("GET", "/security-groups").json["security_groups"] == [group ?? .null])
            #expect(await api.send("GET", "/security-groups/\(id)", as: "bob").status == 404)

            let made = await addRule(api, "10.0.0.0/8")
            #expect(made.status == 201)
            #expect(made.json["security_group_rule"]?[0]?["security_group_id"] == .string(id))
            #expect(await allowed(api) == ["0.0.0.0/0", "10.0.0.0/8"])
            #expect(await addRule(api, "10.0.0.0/8").status == 201, "once more is the same")
            #expect(await allowed(api) == ["0.0.0.0/0", "10.0.0.0/8"])
            let everybody = try #require(group?["rules"]?[0]?["id"]?.stringValue)
            #expect(await api.send("DELETE", "/security-group-rules/\(everybody)", as: "bob").status == 401)
            #expect(await api.send("DELETE", "/security-group-rules/\(everybody)").status == 204)
            #expect(await allowed(api) == ["10.0.0.0/8"])
            #expect(await api.send("DELETE", "/security-group-rules/\(everybody)").status == 404)
            let last = try #require(made.json["security_group_rule"]?[0]?["id"]?.stringValue)
            #expect(await api.send("DELETE", "/security-group-rules/\(last)").status == 400)
            #expect(await allowed(api) == ["10.0.0.0/8"])
        }
    }

    @Test(
        "what a rule must have",
        arguments: [
            ([:], "Required element/key - 'security_group_rule' was not specified"),
            (["security_group_rule": ["group_id": "x"]], "Required element/key - 'cidr' was not specified"),
            (["security_group_rule": ["cidr": "10.0.0.0/8"]], "Required element/key - 'group_id' was not specified"),
        ] as [(JSONValue, String)])
    func missing(_ body: JSONValue, _ message: String) async throws {
        try await withConfigurations { api in
            let response = await api.send("POST", "/security-group-rules", body: body)
            #expect(response.status == 400 && response.fault.message == message)
        }
    }
}
