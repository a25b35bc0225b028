// SPDX-License-Identifier: Apache-2.0

import Model
import PluginHost
import StateStore

/// `/mgmt/plugins`: what administrators see of the plugins.
enum PluginManagementRoutes {
    static let routes: [Route<CoreRoute>] = [
        Route(
            "GET", "/mgmt/plugins",
            RouteDescription(
                "list_plugins", "For administrators: every plugin, its health and who uses it.",
                rule: "mgmt:plugin:index",
                answer: .object(
                    [
                        "plugins": .array(of: .object([:])), "refusals": .array(of: .object([:])),
                        "refusals_by_cause": .map(of: .integer()),
                    ], required: ["plugins", "refusals", "refusals_by_cause"])), list),
        Route(
            "GET", "/mgmt/plugins/{id}",
            RouteDescription(
                "show_plugin", "For administrators: the versions of one plugin.", rule: "mgmt:plugin:show",
                answer: .document("plugin", .object([:]))), show),
    ]

    /// `{"plugins": [version], "refusals": [{"path", "id", "cause", "message"}], "refusals_by_cause": {cause: n}}`
    @Sendable private static func list(_ call: APICall) async throws -> APIResponse {
        try require("mgmt:plugin:index", call)
        let plugins = try await PluginCatalogueView.load(call)
        let refusals = await call.services.plugins.refusals
        let causes = Dictionary(grouping: refusals, by: \.cause.rawValue).mapValues { JSONValue.int(Int64($0.count)) }
        return .json(reserving: 1024 + plugins.count * 1024) { writer in
            writer.value([
                "plugins": .array(plugins.map(\.summary)), "refusals": .array(refusals.map(\.json)),
                "refusals_by_cause": .object(causes),
            ])
        }
    }

    /// `{"plugin": {"id", "active_version", "versions": [version with routes, actions and functions], "refusals": […]}}`
    @Sendable private static func show(_ call: APICall) async throws -> APIResponse {
        try require("mgmt:plugin:show", call)
        let id = call.parameter(0)
        let plugins = try await PluginCatalogueView.load(call).filter { $0.plugin.id == id }
        let refusals = await call.services.plugins.refusals.filter { $0.id == id }
        guard !plugins.isEmpty || !refusals.isEmpty else { throw APIFault.missing(id) }
        return .json(reserving: 8192) { writer in
            writer.value([
                "plugin": [
                    "id": .string(id),
                    "active_version": .optional(plugins.first(where: \.plugin.isActive)?.plugin.version),
                    "versions": .array(plugins.map(\.details)), "refusals": .array(refusals.map(\.json)),
                ]
            ])
        }
    }

    /// A hard check with the contract's own answer. Source: REST contract §1.10, management handlers.
    private static func require(_ rule: String, _ call: APICall) throws {
        guard call.services.policy.allows(rule, call.context, owner: "") else {
            throw APIFault(.forbidden, "User does not have admin privileges.")
        }
    }
}
