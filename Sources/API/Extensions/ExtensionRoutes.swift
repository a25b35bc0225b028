// SPDX-License-Identifier: Apache-2.0

import Model
import PluginHost

/// `/extensions`: the plugins that add routes or actions.
enum ExtensionRoutes {
    static let routes: [Route<CoreRoute>] = [
        Route(
            "GET", "/extensions",
            RouteDescription(
                "list_extensions", "Plugins that add routes or actions.",
                answer: .document("extensions", .array(of: .object([:])))), list),
        Route(
            "GET", "/extensions/{alias}",
            RouteDescription(
                "show_extension", "What one plugin adds.", answer: .document("extension", .object([:]))), show),
    ]

    /// `{"extensions": [ExtensionView]}`
    @Sendable private static func list(_ call: APICall) async throws -> APIResponse {
        let plugins = await offering(call)
        return .json { writer in
            writer.object { writer in
                writer.key("extensions")
                writer.array { writer in
                    for (plugin, routes) in plugins { ExtensionView.write(plugin, routes, &writer) }
                }
            }
        }
    }

    /// `{"extension": {…}}`
    @Sendable private static func show(_ call: APICall) async throws -> APIResponse {
        let alias = call.parameter(0)
        guard let (plugin, routes) = await offering(call).first(where: { $0.plugin.id == alias }) else {
            throw APIFault(404, "No extension found with alias \(alias).")
        }
        return .json { writer in
            writer.object { writer in
                writer.key("extension")
                ExtensionView.write(plugin, routes, &writer)
            }
        }
    }

    private static func offering(_ call: APICall) async -> [(plugin: PluginDescription, routes: [PluginRoute])] {
        let routes = await call.services.plugins.routes
        return await call.services.plugins.plugins
            .filter { $0.isActive && ($0.provides.contains("trove.api-extension/1") || !$0.actions.isEmpty) }
            .sorted { $0.id < $1.id }
            .map { plugin in (plugin, routes.filter { $0.pluginID == plugin.id }) }
    }
}
