// SPDX-License-Identifier: Apache-2.0

import Calls
import Model
import Notifications
import StateStore

/// `POST /mgmt/instances/{id}/action` with one action key → 202, empty; for administrators. Source: REST contract §15.
enum InstanceManagementActions {
    static let description = RouteDescription(
        "act_on_managed_instance",
        "For administrators: stop the engine, reboot, rebuild, or forget the task; the key of the body names the action.",
        body: .object([
            "stop": .object([:]), "reboot": .object([:]), "migrate": migrateSchema, "reset-task-status": .any,
            "rebuild": rebuildSchema,
        ]),
        status: 202, faults: [401, 422, 501])

    @Sendable static func handle(_ call: APICall) async throws -> APIResponse {
        try call.requireAdministrator()
        let id = call.parameter(0)
        let body = try await call.body()
        guard let actions = body.objectValue, let (action, argument) = actions.first else {
            throw APIFault(400, "The request body must be an object with one action.")
        }
        guard actions.count == 1 else { throw APIFault(400, "Only one action can be specified per request.") }
        func validate(_ schema: Schema) throws { try Schema.object([action: schema]).validate([action: argument]) }
        switch action {
        case "stop":
            try validate(.object([:]))
            try await stop(id, call)
        case "reboot":
            try validate(.object([:]))
            try await reboot(id, call)
        case "reset-task-status": try await resetTask(id, call)
        case "migrate":
            try validate(migrateSchema)
            try await migrate(id, to: argument["host"]?.stringValue, call)
        case "rebuild":
            try validate(rebuildSchema)
            try await rebuild(id, image: argument["image_id"]?.stringValue ?? "", call)
        default: throw APIFault(400, "Invalid instance action: \(action)")
        }
        return .accepted
    }

    /// Stops the engine; nothing is written, and what its guest reports is what is shown.
    private static func stop(_ id: String, _ call: APICall) async throws {
        _ = try await call.services.store.read { try call.managedInstance(id, $0) }
        _ = try await call.services.callGuest(id, .stopDatabase, [:], context: call.context)
    }

    /// In any state but one that a flow works on: two flows would each end the other's task.
    private static func reboot(_ id: String, _ call: APICall) async throws {
        try await call.announcing(.instanceReboot, ["instance_id": .string(id)]) { announcement in
            try await call.services.store.write(.durable) { transaction in
                let instance = try call.managedInstance(id, transaction).instance
                try call.requireIdle(instance, transaction)
                try transaction.instances.setTask(id, to: .rebooting, expecting: [instance.task], now: call.now)
                try transaction.instances.setService(id, to: .restarting, heartbeat: call.now)
                try announcement.insert(
                    call.journal(
                        .rebootInstance, resourceID: id, projectID: instance.projectID, host: instance.computeHost,
                        ["instance_id": .string(id)]),
                    transaction)
            }
        }
        await call.wakeTaskManager()
    }

    /// Forgets the task; running backups have failed. What the service is stays.
    private static func resetTask(_ id: String, _ call: APICall) async throws {
        try await call.services.store.write(.durable) { transaction in
            _ = try call.managedInstance(id, transaction)
            try transaction.instances.setTask(id, to: .none, expecting: nil, now: call.now)
            try transaction.backups.failRunning(instanceID: id, now: call.now)
        }
    }
}
