// SPDX-License-Identifier: Apache-2.0

import Model
import Notifications
import StateStore

/// `DELETE /instances/{id}` → 202, empty. Source: REST contract §3.7.
enum DeleteInstance {
    @Sendable static func handle(_ call: APICall) async throws -> APIResponse {
        let id = call.parameter(0)
        let isNew = try await call.announcing(.instanceDelete, ["instance_id": .string(id)]) { announcement in
            try await call.services.store.write(.durable) { try delete(id, call, announcement, $0) }
        }
        if isNew { await call.wakeTaskManager() }
        return .accepted
    }

    /// Whether a flow was asked for; a second delete changes nothing.
    private static func delete(
        _ id: String, _ call: APICall, _ announcement: Announcement, _ transaction: any StateTransaction
    ) throws -> Bool {
        let summary = try call.instance(id, rule: "instance:delete", transaction)
        let instance = summary.instance
        if instance.task == .deleting { return false }
        try APICall.refuseMember(summary)
        guard summary.status.status != "BUILD" else {
            throw APIFault(.unprocessableEntity, "Instance \(id) is not ready. (Status is BUILD).")
        }
        try transaction.instances.setTask(id, to: .deleting, expecting: [instance.task], now: call.now)
        if instance.configurationID != nil {
            try transaction.configurations.setConfiguration(nil, ofInstance: id, now: call.now)
        }
        try announcement.insert(
            call.journal(
                .deleteInstance, resourceID: id, projectID: instance.projectID, host: instance.computeHost,
                ["instance_id": .string(id)]
            ),
            transaction
        )
        return true
    }
}
