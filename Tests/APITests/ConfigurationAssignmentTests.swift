// SPDX-License-Identifier: Apache-2.0

import API
import Messaging
import Model
import PluginHost
import StateStore
import Testing

@Suite("Configuration groups of instances")
struct ConfigurationAssignmentTests {
    private func live(_ api: APIFixture, _ id: String) async throws -> [JournalRecord] {
        try await api.store.read { try $0.journal.live(resourceID: id) }
    }

    private func attach(_ api: APIFixture, _ id: String, _ group: String?, _ verb: String = "PUT") async -> APIResponse
    {
        await api.send(verb, "/instances/\(id)", body: ["instance": ["configuration": .optional(group)]])
    }

    @Test(
        "attaching writes the group, the task and an operation at once, and shows the group",
        arguments: ["PUT", "PATCH"])
    func attaches(_ verb: String) async throws {
        try await withConfigurations { api in
            let group = try await api.group(["max_things": 5])
            let id = try await api.insertRunning()
            let response = await attach(api, id, group, verb)
            #expect(response.status == 202 && response.body.isEmpty)
            let rows = try await live(api, id)
            #expect(rows.map(\.flow) == ["attach_configuration"])
            #expect(
                rows.first?.input == [
                    "instance_id": .string(id), "configuration_id": .string(group), "previous_id": .null, "names": [],
                    "was_restart_required": false,
                ])
            let instance = try #require(try await api.store.read { try $0.instances.find(id) })
            #expect(instance.task == .updating)
            #expect(instance.configurationID == group)
            let shown = await api.send("GET", "/instances/\(id)").json["instance"]
            #expect(shown?["configuration"]?["id"] == .string(group))
            #expect(shown?["configuration"]?["name"] == "g")
            #expect(
                shown?["configuration"]?["links"]?[0]?["href"]?.stringValue?.hasSuffix("/configurations/\(group)")
                    == true)
            #expect(
                await api.send("GET", "/instances/detail").json["instances"]?[0]?["configuration"]?["id"]
                    == .string(group))
            #expect(await api.send("GET", "/instances").json["instances"]?[0]?["configuration"] == nil)
        }
    }

    @Test("the answer is the operation's end: 202, or 400 with the guest's reason")
    func outcome() async throws {
        var configuration = APIFixture.configuration
        configuration.operationPatience = .seconds(20)
        try await withAPI(configuration) { api in
            let id = try await api.insertRunning()
            let group = try await api.group([:])
            for (error, status, message) in [
                (nil, 202, ""),
                ("it is full.", 400, "An error occurred communicating with the guest: it is full."),
                (
                    "Timeout trying to connect to the Guest Agent.", 400,
                    "Timeout trying to connect to the Guest Agent."
                ),
            ] as [(String?, Int, String)] {
                async let response = attach(api, id, group)
                while try await live(api, id).isEmpty { try await Task.sleep(for: .milliseconds(5)) }
                try await api.endOperations(on: id, error: error)
                let answer = await response
                #expect(answer.status == status)
                #expect(answer.fault.message == message)
                try await api.store.write(.relaxed) { transaction in
                    try transaction.configurations.setConfiguration(nil, ofInstance: id, now: transaction.now)
                    try transaction.instances.setTask(id, to: .none, expecting: nil, now: transaction.now)
                }
            }
        }
    }

    @Test("what cannot be attached")
    func refusals() async throws {
        try await withConfigurations { api in
            let group = try await api.group(["max_things": 5])
            let absent = "aaaaaaaa-0000-4000-8000-0000000000aa"
            let id = try await api.insertRunning()
            expectFault(
                await attach(api, id, absent), 404, "Configuration group id: \(absent) could not be found.")
            let others = try await api.group([:], as: "bob")
            expectFault(
                await attach(api, id, others), 404, "Configuration group id: \(others) could not be found.")
            let elsewhere = try await api.insertRunning(version: APIFixture.otherVersionID)
            expectFault(
                await attach(api, elsewhere, group), 400,
                "Datastore Version on Configuration Group \(APIFixture.versionID) does not match the Datastore Version on"
                    + " the instance \(APIFixture.otherVersionID).")
            let configured = try await api.insertRunning { $0.configurationID = group }
            expectFault(
                await attach(api, configured, group), 400,
                "Instance \(configured) already has a Configuration Group attached: \(group).")
            let busy = try await api.insertRunning { $0.task = .rebooting }
            expectFault(
                await attach(api, busy, group), 400,
                "The operation you have requested cannot be executed because the instance status is currently: REBOOTING."
            )
            let stopped = try await api.insertRunning { $0.serverStatus = .shutdown }
            expectFault(
                await attach(api, stopped, group), 400,
                "The operation you have requested cannot be executed because the instance status is currently: SHUTDOWN."
            )
            let large = try await api.group(["max_things": 99])
            expectFault(await attach(api, id, large), 422, "The flavor has no room for 99 things.")
            expectFault(await attach(api, absent, group), 404, "Resource \(absent) cannot be found.")
            for id in [id, elsewhere, configured, busy, stopped] { #expect(try await live(api, id).isEmpty) }
        }
    }

    @Test(
        "detaching names what goes, waits for nothing else, and needs an instance that is available",
        arguments: [["instance": ["configuration": .null]], ["instance": [:]]] as [JSONValue])
    func detaches(_ body: JSONValue) async throws {
        try await withConfigurations { api in
            let group = try await api.group(["max_things": 5, "ratio": 1])
            let id = try await api.insertRunning {
                $0.configurationID = group
                $0.task = .restartRequired
            }
            #expect(await api.send("PUT", "/instances/\(id)", body: body).status == 202)
            let rows = try await live(api, id)
            #expect(rows.map(\.flow) == ["detach_configuration"])
            #expect(rows.first?.input["names"] == ["max_things", "ratio"])
            #expect(rows.first?.input["was_restart_required"] == true)
            #expect(rows.first?.input["previous_id"] == .string(group))
            #expect(await api.send("GET", "/instances/\(id)").json["instance"]?["configuration"] == nil)
            let busy = try await api.insertRunning {
                $0.configurationID = group
                $0.task = .rebooting
            }
            expectFault(
                await api.send("PATCH", "/instances/\(busy)", body: body), 422,
                "Instance \(busy) is not currently available for an action to be performed (task status was REBOOTING)."
            )
        }
    }

    @Test("a change of a group orders an operation for every instance that has it, and for no other")
    func changes() async throws {
        try await withConfigurations { api in
            let group = try await api.group(["max_things": 5, "ratio": 1])
            let idle = try await api.insertRunning { $0.configurationID = group }
            let waiting = try await api.insertRunning {
                $0.configurationID = group
                $0.task = .restartRequired
            }
            let building = try await api.insertRunning {
                $0.configurationID = group
                $0.task = .building
            }
            let leaving = try await api.insertRunning {
                $0.configurationID = group
                $0.task = .deleting
            }
            let other = try await api.insertRunning()
            let response = await api.send(
                "PUT", "/configurations/\(group)", body: ["configuration": ["values": ["max_things": 6]]])
            #expect(response.status == 202)
            for (id, task) in [(idle, InstanceTask.updating), (waiting, .updating), (building, .building)] {
                let rows = try await live(api, id)
                #expect(rows.map(\.flow) == ["apply_configuration"])
                #expect(rows.first?.input["names"] == ["ratio"])
                #expect(rows.first?.input["was_restart_required"] == .bool(id == waiting))
                #expect(try await api.store.read { try $0.instances.find(id)?.task } == task)
            }
            for id in [leaving, other] { #expect(try await live(api, id).isEmpty) }
        }
    }

    @Test("an instance is made with a group, by id or href, which then cannot be deleted")
    func create() async throws {
        try await withConfigurations { api in
            let group = try await api.group(["max_things": 5])
            func body(_ configuration: String) -> JSONValue {
                [
                    "instance": [
                        "name": "db", "flavorRef": "1", "volume": ["size": 1], "configuration": .string(configuration),
                    ]
                ]
            }
            let response = await api.send("POST", "/instances", body: body("https://x/v1.0/p/configurations/\(group)"))
            #expect(response.status == 200, "\(response.fault)")
            #expect(response.json["instance"]?["configuration"]?["id"] == .string(group))
            #expect(await api.send("DELETE", "/configurations/\(group)").status == 400)
            let absent = "aaaaaaaa-0000-4000-8000-0000000000aa"
            expectFault(
                await api.send("POST", "/instances", body: body(absent)), 404,
                "Configuration group id: \(absent) could not be found.")
            let large = try await api.group(["max_things": 99])
            expectFault(
                await api.send("POST", "/instances", body: body(large)), 422, "The flavor has no room for 99 things.")
            #expect(try await api.count().instances == 1)
        }
    }

    @Test("a delete lets the group go")
    func delete() async throws {
        try await withConfigurations { api in
            let group = try await api.group([:])
            let id = try await api.insertRunning { $0.configurationID = group }
            #expect(await api.send("DELETE", "/instances/\(id)").status == 202)
            #expect(await api.send("DELETE", "/configurations/\(group)").status == 202)
        }
    }

    @Test("the configuration of an instance's size is read line by line")
    func defaults() async throws {
        try await withConfigurations { api in
            let id = try await api.insertRunning()
            #expect(
                await api.send("GET", "/instances/\(id)/configuration").json == [
                    "instance": ["configuration": ["max_things": "10", "name": "a b", "empty": ""]]
                ])
            #expect(await api.send("GET", "/instances/\(id)/configuration", as: "bob").status == 404)
        }
    }
}
