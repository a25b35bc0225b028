// SPDX-License-Identifier: Apache-2.0

import API
import Messaging
import Model
import StateStore
import Synchronization
import Testing

@Suite("Management: actions on instances")
struct InstanceManagementActionTests {
    private func act(_ api: APIFixture, _ id: String, _ body: JSONValue) async -> APIResponse {
        await api.send("POST", "/mgmt/instances/\(id)/action", as: "admin", body: body)
    }

    @Test("stop asks the guest and writes nothing")
    func stop() async throws {
        try await withAPI { api in
            let id = try await api.insertRunning()
            let before = try await api.store.read { try $0.instances.find(id) }
            let methods = Mutex<[String]>([])
            api.bus.onCall { _, method, _ throws(MessagingError) in
                methods.withLock { $0.append(method) }
                return .null
            }
            let response = await act(api, id, ["stop": [:]])
            #expect(response.status == 202 && response.body.isEmpty)
            #expect(methods.withLock { $0 } == ["stop_db"])
            #expect(try await api.store.read { try $0.instances.find(id) } == before)
            api.bus.onCall { _, _, _ throws(MessagingError) in throw MessagingError(.timedOut, "late") }
            expectFault(await act(api, id, ["stop": [:]]), 400, "Timeout trying to connect to the Guest Agent.")
        }
    }

    @Test("reboot works in any state that no flow works on, once at a time")
    func reboot() async throws {
        try await withAPI { api in
            for change in [
                { _ in }, { $0.serverStatus = .shutdown }, { $0.service = .crashed }, { $0.task = .restartRequired },
                { $0.task = .resizing },
            ] as [@Sendable (inout InstanceRecord) -> Void] {
                let id = try await api.insertRunning(change: change)
                #expect(await act(api, id, ["reboot": [:]]).status == 202)
                let (record, flows) = try await api.store.read { transaction in
                    (try transaction.instances.find(id), try transaction.journal.live(resourceID: id).map(\.flow))
                }
                #expect(record?.task == .rebooting && record?.service == .restarting)
                #expect(flows == [FlowName.rebootInstance.rawValue])
                #expect(await api.send("GET", "/instances/\(id)").json["instance"]?["status"] == "REBOOT")
                expectFault(
                    await act(api, id, ["reboot": [:]]), 422,
                    "Instance \(id) is not currently available for an action to be performed"
                        + " (task status was REBOOTING).")
            }
            let bare = try await api.insertRunning { $0.serverID = nil }
            expectFault(await act(api, bare, ["reboot": [:]]), 422, "Instance \(bare) is not ready.")
            #expect(api.bus.casts.contains("wake"))
        }
    }

    @Test("reset-task-status ends the task and running backups, and leaves the service alone")
    func resetTask() async throws {
        try await withAPI { api in
            let id = try await api.insertRunning { $0.task = .promotionError }
            let backup = try await api.insertBackup(instance: id, state: .building)
            #expect(await act(api, id, ["reset-task-status": .null]).status == 202)
            let (record, state) = try await api.store.read { transaction in
                (try transaction.instances.find(id), try transaction.backups.find(backup)?.state)
            }
            #expect(record?.task == InstanceTask.none && record?.service == .healthy && state == .failed)
        }
    }

    @Test("what compute cannot do is said, after what is wrong with the request")
    func unsupported() async throws {
        try await withAPI { api in
            let id = try await api.insertRunning()
            let busy = try await api.insertRunning { $0.task = .resizing }
            for (id, body, status, message) in [
                (
                    id, ["migrate": [:]], 501,
                    "Instance \(id) cannot be migrated: there is no host but this one."
                ),
                (id, ["migrate": ["host": "far"]], 400, "There is no host 'far'. Hosts: none."),
                (id, ["migrate": ["host": 7]], 400, nil),
                (
                    busy, ["migrate": [:]], 422,
                    "Instance \(busy) is not currently available for an action to be performed"
                        + " (task status was RESIZING)."
                ),
                (
                    id, ["rebuild": ["image_id": "e0000000-0000-4000-8000-000000000009"]], 400, nil
                ),
                (id, ["rebuild": [:]], 400, "Validation error: rebuild 'image_id' is a required property"),
                (id, ["update": [:]], 400, "Invalid instance action: update"),
                (id, ["stop": "x"], 400, "Validation error: stop 'x' is not of type 'object'"),
                (id, ["reboot": 1], 400, "Validation error: reboot 1 is not of type 'object'"),
                (id, ["stop": [:], "reboot": [:]], 400, "Only one action can be specified per request."),
                (id, [:], 400, "The request body must be an object with one action."),
                ("none", ["stop": [:]], 404, "Resource none cannot be found."),
                ("none", ["reboot": [:]], 404, "Resource none cannot be found."),
                ("none", ["reset-task-status": [:]], 404, "Resource none cannot be found."),
                ("none", ["migrate": [:]], 404, "Resource none cannot be found."),
            ] as [(String, JSONValue, Int, String?)] {
                let response = await act(api, id, body)
                #expect(response.status == status, "\(body)")
                if let message { expectFault(response, status, message) }
            }
            #expect(try await api.count().journal == 0)
        }
    }
}
