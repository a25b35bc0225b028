// SPDX-License-Identifier: Apache-2.0

import Model
import Notifications
import StateStore

/// `POST /instances/{id}/action` with one action key → 202, empty. Source: REST contract §3.5.
enum InstanceActions {
    static let description = RouteDescription(
        "act_on_instance",
        "Does one action: the key of the body names it. Actions of plugins that answer something answer 200 with it.",
        body: .object([
            "restart": .oneOf([.object([:]), .null]), "resize": ResizeInstance.acceptedSchema,
            "reset_status": .object(["force_delete": .any]), "promote_to_replica_source": .any,
            "eject_replica_source": .any,
        ]),
        status: 202, faults: [409, 413, 422, 501, 504])

    @Sendable static func handle(_ call: APICall) async throws -> APIResponse {
        let id = call.parameter(0)
        let body = try await call.body()
        guard let actions = body.objectValue, let (action, argument) = actions.first else {
            throw APIFault(400, "The request body must be an object with one action.")
        }
        guard actions.count == 1 else { throw APIFault(400, "Only one action can be specified per request.") }
        guard let core = CoreAction(rawValue: action) else {
            if let response = try await PluginActions(call: call).perform(id, action, argument) { return response }
            throw APIFault(400, "Invalid instance action: \(action)")
        }
        switch core {
        case .restart: return try await restart(id, argument, call)
        case .resetStatus: return try await resetStatus(id, argument, call)
        case .resize:
            try await ResizeInstance.perform(id, argument, call)
            return .accepted
        case .promoteToReplicaSource:
            return try await refuse(id, "instance:promote_to_replica_source", call, needsAvailable: true) {
                APIFault(400, "Instance \(id) is not a replica.")
            }
        case .ejectReplicaSource:
            return try await refuse(id, "instance:eject_replica_source", call) {
                APIFault(400, "Instance \(id) is not a replica source.")
            }
        case .resetPassword:
            return try await refuse(id, "instance:reset_password", call) {
                .unsupported("Resetting the password is not supported: use the root or the users calls.")
            }
        }
    }

    /// null is taken for the empty object: one of the public clients sends it.
    private static func restart(_ id: String, _ argument: JSONValue, _ call: APICall) async throws -> APIResponse {
        let argument = argument.isNull ? [:] : argument
        try Schema.object(["restart": .object([:])]).validate(["restart": argument])
        try await call.announcing(.instanceRestart, ["instance_id": .string(id)]) { announcement in
            try await call.services.store.write(.durable) { try restart(id, call, announcement, $0) }
        }
        await call.wakeTaskManager()
        return .accepted
    }

    private static func restart(
        _ id: String, _ call: APICall, _ announcement: Announcement, _ transaction: any StateTransaction
    ) throws {
        let summary = try call.instance(id, rule: "instance:restart", transaction)
        if !call.context.isAdmin { try APICall.refuseMember(summary) }
        try APICall.requireAvailable(summary)
        try transaction.instances.setTask(id, to: .rebooting, expecting: [summary.instance.task], now: call.now)
        try transaction.instances.setService(id, to: .restarting, heartbeat: call.now)
        try announcement.insert(
            call.journal(
                .restartInstance, resourceID: id, projectID: summary.instance.projectID,
                host: summary.instance.computeHost, ["instance_id": .string(id)]
            ),
            transaction
        )
    }

    /// Forgets the task and doubts the service until the guest speaks again; running backups have failed.
    private static func resetStatus(
        _ id: String, _ argument: JSONValue, _ call: APICall
    ) async throws -> APIResponse {
        let isForced = argument["force_delete"].map { $0 == true || $0 == 1 } ?? false
        let rule = isForced ? "instance:force_delete" : "instance:reset_status"
        try await call.announcing(.instanceResetStatus, ["instance_id": .string(id)]) { announcement in
            try await call.services.store.write(.durable) { transaction in
                _ = try call.instance(id, rule: rule, transaction)
                try transaction.instances.setTask(id, to: .none, expecting: nil, now: call.now)
                try transaction.instances.setService(id, to: .unknown, heartbeat: call.now)
                try transaction.backups.failRunning(instanceID: id, now: call.now)
                try announcement.complete(transaction)
            }
        }
        return .accepted
    }

    /// Answers for an instance that exists and is the caller's; 404 or 403 come first.
    private static func refuse(
        _ id: String, _ rule: String, _ call: APICall, needsAvailable: Bool = false, _ fault: () -> APIFault
    ) async throws -> APIResponse {
        let summary = try await call.services.store.read { try call.instance(id, rule: rule, $0) }
        if needsAvailable { try APICall.requireAvailable(summary) }
        throw fault()
    }
}
