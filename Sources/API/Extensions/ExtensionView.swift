// SPDX-License-Identifier: Apache-2.0

import Model
import PluginHost

/// How `/extensions` shows what plugins add, complete enough to make API documents from.
enum ExtensionView {
    /// `{"alias", "name", "description", "version", "links": [], "routes": […], "actions": […]}`
    static func write(_ plugin: PluginDescription, _ routes: [PluginRoute], _ writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("alias", plugin.id)
            writer.member("name", plugin.id)
            writer.member("description", "Routes and actions of plugin \(plugin.id), version \(plugin.version).")
            writer.member("version", plugin.version)
            writer.member("links", [])
            writer.key("routes")
            writer.value(.array(routes.map(json)))
            writer.key("actions")
            writer.value(.array(plugin.actions.map { json($0) }))
        }
    }

    /// `{"method", "path", "policy", "summary", "request_schema"?, "response_schema"?}`; the path is below
    /// `/v1.0/{project}`.
    private static func json(_ route: PluginRoute) -> JSONValue {
        var members: [String: JSONValue] = [
            "method": .string(route.method), "path": .string(route.path), "policy": .string(route.policy),
            "summary": .string(route.summary),
        ]
        members["request_schema"] = route.requestSchema
        members["response_schema"] = route.responseSchema
        return .object(members)
    }

    /// `{"name", "summary", "policy", "role", "read_only", "args": [{"name", "type", …}]}`, as in the plugin's manifest.
    static func json(_ action: ActionDeclaration) -> JSONValue {
        var members = action.json.objectValue ?? [:]
        members["samples"] = nil
        return .object(members)
    }
}
