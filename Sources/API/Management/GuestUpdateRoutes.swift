// SPDX-License-Identifier: Apache-2.0

import Model
import StateStore

/// Updates of guest agents that the reference service began itself. Source: REST contract §15, §18.
///
/// Guests here are of the release that the host's operator installs, and follow it when they are started anew; nothing tells a
/// running one to replace itself, so that both answer 501 where the reference service would begin an update.
enum GuestUpdateRoutes {
    static let routes: [Route<CoreRoute>] = [
        Route(
            "POST", "/mgmt/instances/{id}/upgrade",
            RouteDescription(
                "upgrade_guest", "For administrators: guests are not upgraded by request; answers 501.",
                body: .object(
                    [
                        "upgrade": .object([
                            "instance_version": .string(), "location": .string(), "metadata": .object([:]),
                        ])
                    ], required: ["upgrade"]), status: 202, faults: [401, 501]), upgrade),
        Route(
            "POST", "/mgmt/hosts/{name}/instances/action",
            RouteDescription(
                "update_guests_of_host", "Guests are not updated by request; answers 501.",
                body: .object(["update": .any]), status: 202, faults: [501]), update),
    ]

    private static let refusal = APIFault.unsupported(
        "Guests are not updated by request: they run the release that is installed on their host.")

    @Sendable private static func upgrade(_ call: APICall) async throws -> APIResponse {
        try call.requireAdministrator()
        let id = call.parameter(0)
        let body = try await call.body()
        try Schema.object(["upgrade": .object([:])], required: ["upgrade"]).validate(body)
        _ = try await call.services.store.read { try call.managedInstance(id, $0) }
        throw refusal
    }

    @Sendable private static func update(_ call: APICall) async throws -> APIResponse {
        let body = try await call.body()
        guard let actions = body.objectValue, let action = actions.keys.sorted().first else {
            throw APIFault(400, "The request body must be an object with one action.")
        }
        guard actions.count == 1, action == "update" else {
            throw APIFault(400, "Invalid host action: \(action)")
        }
        throw refusal
    }
}
