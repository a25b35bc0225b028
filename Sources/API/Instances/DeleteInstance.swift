// SPDX-License-Identifier: Apache-2.0

import Model
import StateStore

/// `DELETE /instances/{id}` → 202, empty. Source: REST contract §3.7.
enum DeleteInstance {
    @Sendable static func handle(_ call: APICall) async throws -> APIResponse {
        let id = call.parameter(0)
        let isNew = try await call.services.store.write(.durable) { try delete(id, call, $0) }
        if isNew { await call.wakeTaskManager() }
        return .accepted
    }

    /// Whether a flow was asked for; a second delete changes nothing.
    private static func delete(_ id: String, _ call: APICall, _ transaction: any StateTransaction) throws -> Bool {
        let summary = try call.instance(id, rule: "instance:delete", transaction)
        let instance = summary.instance
        if instance.task == .deleting { return false }
        guard summary.status.status != "BUILD" else {
            throw APIFault(.unprocessableEntity, "Instance \(id) is not ready. (Status is BUILD).")
        }
        try transaction.instances.setTask(id, to: .deleting, expecting: [instance.task], now: call.now)
        try transaction.journal.insert(
            call.journal(
                .deleteInstance, resourceID: id, projectID: instance.projectID, ["instance_id": .string(id)]
            )
        )
        return true
    }
}
