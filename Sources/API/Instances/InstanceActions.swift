// SPDX-License-Identifier: Apache-2.0

import Model
import StateStore

/// `POST /instances/{id}/action` with one action key → 202, empty. Source: REST contract §3.5.
enum InstanceActions {
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
        case .resize: return try await resize(id, argument, call)
        case .promoteToReplicaSource:
            return try await refuse(id, "instance:promote_to_replica_source", call) {
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

    private static func restart(_ id: String, _ argument: JSONValue, _ call: APICall) async throws -> APIResponse {
        try Schema.object(["restart": .object([:])]).validate(["restart": argument])
        try await call.services.store.write(.durable) { transaction in
            let summary = try call.instance(id, rule: "instance:restart", transaction)
            try APICall.requireAvailable(summary)
            try transaction.instances.setTask(
                id, to: .rebooting, expecting: [summary.instance.task], now: call.now
            )
            try transaction.instances.setService(id, to: .restarting, heartbeat: call.now)
            try transaction.journal.insert(
                call.journal(
                    .restartInstance, resourceID: id, projectID: summary.instance.projectID,
                    ["instance_id": .string(id)]
                )
            )
        }
        await call.wakeTaskManager()
        return .accepted
    }

    /// Forgets the task and doubts the service until the guest speaks again; running backups have failed.
    private static func resetStatus(
        _ id: String, _ argument: JSONValue, _ call: APICall
    ) async throws -> APIResponse {
        let isForced = argument["force_delete"].map { $0 == true || $0 == 1 } ?? false
        let rule = isForced ? "instance:force_delete" : "instance:reset_status"
        try await call.services.store.write(.durable) { transaction in
            _ = try call.instance(id, rule: rule, transaction)
            try transaction.instances.setTask(id, to: .none, expecting: nil, now: call.now)
            try transaction.instances.setService(id, to: .unknown, heartbeat: call.now)
            try transaction.backups.failRunning(instanceID: id, now: call.now)
        }
        return .accepted
    }

    private static func resize(_ id: String, _ argument: JSONValue, _ call: APICall) async throws -> APIResponse {
        let schema = Schema.object(["volume": .volume, "flavorRef": .flavorReference])
        try Schema.object(["resize": schema]).validate(["resize": argument])
        guard argument["volume"] != nil || argument["flavorRef"] != nil else {
            throw APIFault(400, "The action 'resize' needs 'volume' or 'flavorRef'.")
        }
        let isVolume = argument["volume"] != nil
        return try await refuse(id, isVolume ? "instance:resize_volume" : "instance:resize_flavor", call) {
            .unsupported("Resizing the \(isVolume ? "volume" : "flavor") of an instance is not supported.")
        }
    }

    /// Answers for an instance that exists and is the caller's; 404 or 403 come first.
    private static func refuse(
        _ id: String, _ rule: String, _ call: APICall, _ fault: () -> APIFault
    ) async throws -> APIResponse {
        _ = try await call.services.store.read { try call.instance(id, rule: rule, $0) }
        throw fault()
    }
}
