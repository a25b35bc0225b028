// SPDX-License-Identifier: Apache-2.0

import Model
import PluginHost

/// `/extensions`: the plugins that add routes.
enum ExtensionRoutes {
    static let routes: [Route<RouteHandler>] = [
        Route(pattern: RoutePattern("GET", "/extensions"), target: list),
        Route(pattern: RoutePattern("GET", "/extensions/{alias}"), target: show),
    ]

    private static let extensionID = "trove.api-extension/1"

    /// `{"extensions": [{"alias", "name", "description", "links": []}]}`
    @Sendable private static func list(_ call: APICall) async throws -> APIResponse {
        let plugins = await loaded(call)
        return .json { writer in
            writer.object { writer in
                writer.key("extensions")
                writer.array { writer in
                    for plugin in plugins { write(plugin, &writer) }
                }
            }
        }
    }

    /// `{"extension": {…}}`
    @Sendable private static func show(_ call: APICall) async throws -> APIResponse {
        let alias = call.parameter(0)
        guard let plugin = await loaded(call).first(where: { $0.id == alias }) else {
            throw APIFault(404, "No extension found with alias \(alias).")
        }
        return .json { writer in
            writer.object { writer in
                writer.key("extension")
                write(plugin, &writer)
            }
        }
    }

    private static func loaded(_ call: APICall) async -> [PluginDescription] {
        await call.services.plugins.plugins
            .filter { $0.provides.contains(extensionID) }
            .sorted { $0.id < $1.id }
    }

    private static func write(_ plugin: PluginDescription, _ writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("alias", plugin.id)
            writer.member("name", plugin.id)
            writer.member("description", "Routes of plugin \(plugin.id), version \(plugin.version).")
            writer.member("links", [])
        }
    }
}
