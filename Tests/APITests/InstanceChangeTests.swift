// SPDX-License-Identifier: Apache-2.0

import API
import Model
import StateStore
import Testing

@Suite("Instances: update, actions, delete")
struct InstanceChangeTests {
    private func flows(_ api: APIFixture, _ id: String) async throws -> [String] {
        try await api.store.read { try $0.journal.live(resourceID: id) }.map(\.flow)
    }

    @Test("PUT and PATCH rename in any state", arguments: ["PUT", "PATCH"])
    func rename(_ verb: String) async throws {
        try await withAPI { api in
            let id = try await api.insertRunning { $0.task = .building }
            let response = await api.send(verb, "/instances/\(id)", body: ["instance": ["name": "new"]])
            #expect(response.status == 202)
            #expect(response.body.isEmpty)
            #expect(await api.send("GET", "/instances/\(id)").json["instance"]?["name"] == "new")
        }
    }

    @Test(
        "what an update may not hold",
        arguments: [
            (
                "PUT", ["instance": ["slave_of": ""]], 400,
                "Validation error: instance Additional properties are not allowed ('slave_of' was unexpected)"
            ),
            (
                "PATCH", ["instance": ["access": [:]]], 400,
                "Validation error: instance Additional properties are not allowed ('access' was unexpected)"
            ),
            (
                "PUT", ["instance": ["configuration": .null, "replica_of": .null]], 400,
                "Only one attribute (except 'name') is allowed to update."
            ),
            ("PATCH", ["instance": ["slave_of": ""]], 400, "Instance ID is not a replica."),
            ("PUT", ["instance": ["replica_of": .null, "name": "x"]], 400, "Instance ID is not a replica."),
            (
                "PATCH", ["instance": ["datastore_version": "12"]], 400, "Datastore version '12' cannot be found."
            ),
            (
                "PUT", ["instance": ["access": ["is_public": true]]], 501,
                "Public addresses ('access.is_public') are not supported."
            ),
            (
                "PUT", ["instance": ["configuration": "aaaaaaaa-0000-4000-8000-000000000001"]], 404,
                "Configuration group id: aaaaaaaa-0000-4000-8000-000000000001 could not be found."
            ),
            ("PUT", [:], 400, "Validation error: 'instance' is a required property"),
        ] as [(String, JSONValue, Int, String)]
    )
    func refusedUpdates(_ verb: String, _ body: JSONValue, _ status: Int, _ message: String) async throws {
        try await withAPI { api in
            let id = "aaaaaaaa-0000-4000-8000-0000000000ff"
            try await api.insertRunning(id)
            let response = await api.send(verb, "/instances/\(id)", body: body)
            #expect(response.status == status)
            #expect(response.fault.message.replacing(id, with: "ID") == message)
            #expect(await api.send("GET", "/instances/\(id)").json["instance"]?["name"] == "db")
        }
    }

    @Test("detaching a configuration from an instance without one is done already")
    func detachConfiguration() async throws {
        try await withAPI { api in
            let id = try await api.insertRunning()
            for body in [["instance": [:]], ["instance": ["configuration": .null]]] as [JSONValue] {
                #expect(await api.send("PUT", "/instances/\(id)", body: body).status == 202)
            }
        }
    }

    @Test("restart marks the instance and asks for the flow, once")
    func restart() async throws {
        try await withAPI { api in
            let id = try await api.insertRunning()
            let responses = await withTaskGroup(of: Int.self) { group in
                for _ in 0..<8 {
                    group.addTask { await api.send("POST", "/instances/\(id)/action", body: ["restart": [:]]).status }
                }
                return await group.reduce(into: []) { $0.append($1) }
            }
            #expect(responses.filter { $0 == 202 }.count == 1)
            #expect(responses.filter { $0 == 422 }.count == 7)
            #expect(try await flows(api, id) == [FlowName.restartInstance.rawValue])
            let record = try await api.store.read { try $0.instances.find(id) }
            #expect(record?.task == .rebooting)
            #expect(record?.service == .restarting)
            #expect(await api.send("GET", "/instances/\(id)").json["instance"]?["status"] == "REBOOT")
        }
    }

    @Test("a restart with null is a restart")
    func restartWithNull() async throws {
        try await withAPI { api in
            let id = try await api.insertRunning()
            #expect(await api.send("POST", "/instances/\(id)/action", body: ["restart": .null]).status == 202)
            #expect(try await flows(api, id) == [FlowName.restartInstance.rawValue])
        }
    }

    @Test("an action on an instance that is not available is 422 with the reason")
    func unavailable() async throws {
        try await withAPI { api in
            let rows: [(String, @Sendable (inout InstanceRecord) -> Void)] = [
                ("(task status was RESIZING)", { $0.task = .resizing }),
                ("(instance status was BUILD)", { $0.serverStatus = .build }),
                ("(instance status was ACTIVE)", { $0.service = .restarting }),
            ]
            for (reason, change) in rows {
                let id = try await api.insertRunning(change: change)
                expectFault(
                    await api.send("POST", "/instances/\(id)/action", body: ["restart": [:]]), 422,
                    "Instance \(id) is not currently available for an action to be performed \(reason).")
            }
            let gone = try await api.insertRunning { $0.serverStatus = .deleted }
            expectFault(
                await api.send("POST", "/instances/\(gone)/action", body: ["restart": [:]]), 422,
                "Instance \(gone) is not ready.")
        }
    }

    @Test(
        "unknown and unsupported actions",
        arguments: [
            ([:], 400, "The request body must be an object with one action."),
            ([], 400, "The request body must be an object with one action."),
            (["frob": [:]], 400, "Invalid instance action: frob"),
            (["restart": [:], "frob": [:]], 400, "Only one action can be specified per request."),
            (["restart": "x"], 400, "Validation error: restart 'x' is not of type 'object'"),
            (["resize": [:]], 400, "The action 'resize' needs 'volume' or 'flavorRef'."),
            (
                ["resize": ["volume": 2]], 400,
                "The new volume 'size' must be larger than the current volume size of '2'."
            ),
            (
                ["resize": ["volume": ["size": 11]]], 413,
                "Volume 'size' cannot exceed maximum of 10 GB, 11 cannot be accepted."
            ),
            (["resize": ["flavorRef": "huge"]], 400, "Resource huge cannot be found."),
            (
                ["resize": ["flavorRef": "tiny"]], 400,
                "Flavor tiny is not supported for datastore version \(APIFixture.versionID): it needs 256 MB of memory,"
                    + " the flavor has 128."
            ),
            (
                ["resize": ["flavorRef": 1]], 400,
                "The new flavor id must be different than the current flavor id of '1'."
            ),
            (
                ["resize": ["flavorRef": "big", "volume": 3]], 400,
                "The action 'resize' takes 'volume' or 'flavorRef', not both at once."
            ),
            (["promote_to_replica_source": [:]], 400, "Instance ID is not a replica."),
            (["eject_replica_source": [:]], 400, "Instance ID is not a replica source."),
            (
                ["reset_password": [:]], 501,
                "Resetting the password is not supported: use the root or the users calls."
            ),
        ] as [(JSONValue, Int, String)]
    )
    func actions(_ body: JSONValue, _ status: Int, _ message: String) async throws {
        try await withAPI { api in
            let id = "aaaaaaaa-0000-4000-8000-0000000000ff"
            try await api.insertRunning(id)
            let response = await api.send("POST", "/instances/\(id)/action", body: body)
            #expect(response.status == status)
            #expect(response.fault.message.replacing(id, with: "ID") == message)
            #expect(try await flows(api, id).isEmpty)
        }
    }

    @Test("reset_status is for administrators, with force_delete for the owner too")
    func resetStatus() async throws {
        try await withAPI { api in
            let id = try await api.insertRunning { $0.task = .buildingErrorServer }
            let backup = try await api.insertBackup(instance: id, state: .building)
            expectFault(
                await api.send("POST", "/instances/\(id)/action", body: ["reset_status": [:]]), 403,
                "Policy doesn't allow instance:reset_status to be performed.")
            let forced: JSONValue = ["reset_status": ["force_delete": true]]
            #expect(await api.send("POST", "/instances/\(id)/action", as: "bob", body: forced).status == 404)
            #expect(await api.send("POST", "/instances/\(id)/action", body: forced).status == 202)
            let instance = await api.send("GET", "/instances/\(id)").json["instance"]
            #expect(instance?["status"] == "ACTIVE")
            #expect(instance?["operating_status"] == "ERROR")
            #expect(await api.send("GET", "/backups/\(backup)").json["backup"]?["status"] == "FAILED")
            let admin = await api.send("POST", "/instances/\(id)/action", as: "admin", body: ["reset_status": [:]])
            #expect(admin.status == 202)
        }
    }

    @Test("delete is accepted once and repeated without effect; not while the instance is built")
    func delete() async throws {
        try await withAPI { api in
            let id = try await api.insertRunning()
            for _ in 0..<2 {
                let response = await api.send("DELETE", "/instances/\(id)")
                #expect(response.status == 202)
                #expect(response.body.isEmpty)
            }
            #expect(try await flows(api, id) == [FlowName.deleteInstance.rawValue])
            #expect(api.bus.casts == ["wake"])
            #expect(await api.send("GET", "/instances/\(id)").json["instance"]?["status"] == "SHUTDOWN")
            let building = try await api.insertRunning {
                $0.task = .building
                $0.serverStatus = .build
            }
            expectFault(
                await api.send("DELETE", "/instances/\(building)"), 422,
                "Instance \(building) is not ready. (Status is BUILD).")
            let failed = try await api.insertRunning { $0.task = .buildingErrorServer }
            #expect(await api.send("DELETE", "/instances/\(failed)").status == 202)
            let other = try await api.insertRunning(of: "bob")
            expectFault(await api.send("DELETE", "/instances/\(other)"), 404, "Resource \(other) cannot be found.")
            #expect(await api.send("DELETE", "/instances/\(other)", as: "admin").status == 202)
        }
    }
}
