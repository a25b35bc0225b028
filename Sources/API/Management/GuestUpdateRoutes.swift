// SPDX-License-Identifier: Apache-2.0

import Model
import Notifications
import StateStore

/// Updates of guest agents, one or all of a host: each is replaced by one of the release that its host has, and the engine runs on.
/// Source: REST contract §15, §18.
enum GuestUpdateRoutes {
    static let routes: [Route<CoreRoute>] = [
        Route(
            "POST", "/mgmt/instances/{id}/upgrade",
            RouteDescription(
                "upgrade_guest",
                "For administrators: replaces the guest agent by one of the release that is installed on its host.",
                body: schema, status: 202, faults: [401, 422]), upgrade),
        Route(
            "POST", "/mgmt/hosts/{name}/instances/action",
            RouteDescription(
                "update_guests_of_host", "For administrators: the same for every instance of the host.",
                body: .object(["update": .any]), status: 202, faults: [401]), update),
    ]

    /// Where a release comes from, and what is to be told of it, is the business of whoever installs it: both are accepted and
    /// mean nothing.
    private static let schema = Schema.object(
        ["upgrade": .object(["instance_version": .string(), "location": .string(), "metadata": .object([:])])],
        required: ["upgrade"])

    @Sendable private static func upgrade(_ call: APICall) async throws -> APIResponse {
        try call.requireAdministrator()
        let id = call.parameter(0)
        let body = try await call.body()
        try schema.validate(body)
        let wanted = body["upgrade"]?["instance_version"]?.stringValue ?? ""
        guard wanted.isEmpty || wanted == Product.version else {
            throw APIFault(
                400,
                "A guest cannot be upgraded to release '\(wanted)': the installed one is \(Product.version). Install the other on"
                    + " the host first.")
        }
        try await call.announcing(.guestUpgrade, ["instance_id": .string(id)]) { announcement in
            try await call.services.store.write(.durable) { transaction in
                let instance = try call.managedInstance(id, transaction).instance
                guard hasAgent(instance) else {
                    throw APIFault(.unprocessableEntity, "Instance \(id) has no server, and so no guest to upgrade.")
                }
                try announcement.insert(row(instance, call), transaction)
            }
        }
        await call.wakeTaskManager()
        return .accepted
    }

    @Sendable private static func update(_ call: APICall) async throws -> APIResponse {
        try call.requireAdministrator()
        let body = try await call.body()
        guard let actions = body.objectValue, let action = actions.keys.sorted().first else {
            throw APIFault(400, "The request body must be an object with one action.")
        }
        guard actions.count == 1, action == "update" else {
            throw APIFault(400, "Invalid host action: \(action)")
        }
        let name = call.parameter(0)
        let isOwn = await call.configuration.hostFacts()?.name == name
        let instances = try await call.services.store.read { try $0.instances.summaries(ofHost: name) }.map(\.instance)
        guard isOwn || !instances.isEmpty else { throw APIFault.missing(name) }
        for instance in instances where hasAgent(instance) {
            try await call.announcing(.guestUpgrade, ["instance_id": .string(instance.id)]) { announcement in
                try await call.services.store.write(.durable) { transaction in
                    // One that went meanwhile needs none.
                    guard let current = try transaction.instances.find(instance.id) else { return }
                    try announcement.insert(row(current, call), transaction)
                }
            }
        }
        await call.wakeTaskManager()
        return .accepted
    }

    private static func hasAgent(_ instance: InstanceRecord) -> Bool {
        instance.serverID != nil && instance.task != .deleting
    }

    private static func row(_ instance: InstanceRecord, _ call: APICall) -> JournalRecord {
        call.journal(
            .upgradeGuest, resourceID: instance.id, projectID: instance.projectID, host: instance.computeHost,
            ["instance_id": .string(instance.id)])
    }
}
