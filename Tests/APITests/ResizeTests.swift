// SPDX-License-Identifier: Apache-2.0

import API
import Model
import PluginHost
import StateStore
import Testing

@Suite("Instances: resize, upgrade, rebuild")
struct ResizeTests {
    private func rows(_ api: APIFixture, _ id: String) async throws -> [JournalRecord] {
        try await api.store.read { try $0.journal.live(resourceID: id) }
    }

    @Test("a resize is accepted once; the row keeps its size until the operation ends")
    func accepted() async throws {
        for (body, flow, member, value) in [
            (["resize": ["volume": ["size": 5]]], FlowName.resizeVolume, "new_size", 5),
            (["resize": ["volume": 5]], .resizeVolume, "volume_gib_growth", 3),
            (["resize": ["flavorRef": "big"]], .resizeFlavor, "ram_mib_growth", 1536),
        ] as [(JSONValue, FlowName, String, JSONValue)] {
            try await withAPI { api in
                let id = try await api.insertRunning()
                #expect(await api.send("POST", "/instances/\(id)/action", body: body).status == 202)
                let rows = try await rows(api, id)
                #expect(rows.map(\.flow) == [flow.rawValue] && rows.first?.input[member] == value)
                let shown = await api.send("GET", "/instances/\(id)").json["instance"]
                #expect(shown?["status"] == "RESIZE")
                #expect(shown?["volume"]?["size"] == 2 && shown?["flavor"]?["id"] == "1")
                expectFault(
                    await api.send("POST", "/instances/\(id)/action", body: body), 422,
                    "Instance \(id) is not currently available for an action to be performed"
                        + " (task status was RESIZING).")
            }
        }
    }

    @Test("what instances grow to counts for quotas at once")
    func quota() async throws {
        try await withAPI { api in
            let project = try #require(TestIdentity.projects["alice"])
            try await api.store.write(.relaxed) { transaction in
                try transaction.quotas.setLimit(projectID: project, resource: "volumes", limit: 10)
                try transaction.quotas.setLimit(projectID: project, resource: "ram", limit: 3000)
            }
            let ids = [try await api.insertRunning(), try await api.insertRunning()]
            func act(_ id: String, _ body: JSONValue) async -> APIResponse {
                await api.send("POST", "/instances/\(id)/action", body: ["resize": body])
            }
            #expect(await act(ids[0], ["volume": ["size": 7]]).status == 202)
            expectFault(
                await act(ids[1], ["volume": ["size": 4]]), 413, "Quota exceeded for resources: ['volumes'].")
            #expect(await act(ids[1], ["flavorRef": "big"]).status == 202)
            let third = try await api.insertRunning()
            expectFault(await act(third, ["flavorRef": "big"]), 413, "Quota exceeded for resources: ['ram'].")
        }
    }

    @Test("an upgrade names the new version at once and keeps what it had for the way back")
    func upgrade() async throws {
        try await withAPI { api in
            let id = try await api.insertRunning { $0.plugins = ["datastore": "org.example.engine@1.0.0"] }
            let body: JSONValue = ["instance": ["datastore_version": .string(APIFixture.versionID)]]
            api.plugins.onPolicy { function, _ throws(PluginError) in
                guard function != .planUpgrade else {
                    throw PluginError(.preconditionFailed, "There is no way to that version.")
                }
                return [:]
            }
            expectFault(
                await api.send("PUT", "/instances/\(id)", body: body), 422, "There is no way to that version.")
            #expect(try await rows(api, id).isEmpty)
            api.plugins.onPolicy { function, _ throws(PluginError) in
                function == .planUpgrade ? ["restart": true, "reversible": true] : [:]
            }
            #expect(await api.send("PUT", "/instances/\(id)", body: body).status == 202)
            let input = try #require(try await rows(api, id).first?.input)
            #expect(input["previous_plugins"] == ["datastore": "org.example.engine@1.0.0"])
            #expect(input["previous_version_id"] == .string(APIFixture.versionID) && input["reversible"] == true)
            let record = try await api.store.read { try $0.instances.find(id) }
            #expect(record?.task == .upgrading && record?.plugins["datastore"] == "org.example.engine@2.1.0")
            #expect(await api.send("GET", "/instances/\(id)").json["instance"]?["status"] == "UPGRADE")
            expectFault(
                await api.send("PUT", "/instances/\(id)", body: body), 422,
                "Instance \(id) is not currently available for an action to be performed"
                    + " (task status was UPGRADING).")
        }
    }

    @Test("a rebuild is made of the instance's own version")
    func rebuild() async throws {
        try await withAPI { api in
            let id = try await api.insertRunning { $0.task = .buildingErrorServer }
            let body: JSONValue = ["rebuild": ["image_id": .string(APIFixture.versionID)]]
            let path = "/mgmt/instances/\(id)/action"
            #expect(await api.send("POST", path, as: "admin", body: body).status == 202)
            #expect(try await rows(api, id).map(\.flow) == [FlowName.rebuildInstance.rawValue])
            #expect(await api.send("GET", "/instances/\(id)").json["instance"]?["status"] == "BUILD")
            #expect(await api.send("POST", path, as: "admin", body: body).status == 422)
        }
    }
}
