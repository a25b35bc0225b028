// SPDX-License-Identifier: Apache-2.0

import Model
import StateStore

/// `/instances/{id}/ssl`: TLS of an instance's engine. Source: REST contract §7.
///
/// Engines serve with what their own packages bring; no certificate is managed yet. Requests are checked as the contract says, and
/// what fits is answered with 501.
enum InstanceTLSRoutes {
    static let routes: [Route<CoreRoute>] = [
        Route(
            "GET", "/instances/{id}/ssl",
            RouteDescription("show_instance_ssl", refusal, rule: "instance:show", status: 501, faults: [501]), show),
        Route(
            "POST", "/instances/{id}/ssl",
            RouteDescription(
                "change_instance_ssl", refusal, rule: "instance:update", body: schema, status: 501, faults: [422, 501]),
            change),
    ]

    private static let refusal = "TLS of engines ('ssl') is not managed by this release."
    private static let modes = ["basic", "enforced", "mtls"]

    static let schema = Schema.object(
        [
            "ssl": .object([
                "enable": .boolean, "disable": .boolean, "rollback": .boolean, "mode": .string(minimum: 1),
                "container_ref": .nonEmptyText, "password_ref": .nonEmptyText,
            ])
        ], required: ["ssl"])

    @Sendable private static func show(_ call: APICall) async throws -> APIResponse {
        let id = call.parameter(0)
        _ = try await call.services.store.read { try call.instance(id, rule: "instance:show", $0) }
        throw APIFault.unsupported(refusal)
    }

    @Sendable private static func change(_ call: APICall) async throws -> APIResponse {
        let id = call.parameter(0)
        let body = try await call.body()
        try schema.validate(body)
        let change = body["ssl"] ?? [:]
        let summary = try await call.services.store.read { try call.instance(id, rule: "instance:update", $0) }
        let wishes = ["enable", "disable", "rollback"].filter { change[$0] == true }
        guard wishes.count == 1 else {
            throw APIFault(400, "One of 'enable', 'disable' and 'rollback' must be true, not \(wishes.count) of them.")
        }
        if let mode = change["mode"]?.stringValue, !modes.contains(mode) {
            throw APIFault(400, "Unknown SSL mode. Available options are: \(modes.joined(separator: ", "))")
        }
        if wishes == ["enable"], change["container_ref"] == nil {
            throw APIFault(400, "'container_ref' is needed to enable TLS.")
        }
        try APICall.requireAvailable(summary)
        throw APIFault.unsupported(refusal)
    }
}
