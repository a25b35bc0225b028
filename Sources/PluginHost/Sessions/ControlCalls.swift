// SPDX-License-Identifier: Apache-2.0

import CTrovePlugin
import Model

/// Calls of the control plane's half of the plugins, in the process that maps them.
struct ControlCalls: Sendable {
    let registry: PluginRegistry

    private typealias Entry = @convention(c) (OpaquePointer?, trove_str) -> trove_status

    func policy(
        _ reference: String, _ function: PolicyFunction, _ request: JSONValue, _ options: CallOptions
    ) async throws(PluginError) -> JSONValue {
        let plugin = try registry.require(reference)
        guard let table = plugin.tables.policy?.pointee else {
            throw PluginError(
                .unsupported, pluginID: plugin.manifest.id, "does not provide \(TROVE_EXT_DATASTORE_POLICY)")
        }
        let entry: Entry? =
            switch function {
            case .requirements: table.requirements
            case .validateCreate: table.validate_create
            case .renderConfiguration: table.render_configuration
            case .parameters: table.parameters
            case .validateConfiguration: table.validate_configuration
            case .planUpgrade: table.plan_upgrade
            }
        return try await call(plugin, "policy.\(function.rawValue)", entry, request, options, nil)
    }

    func handle(
        _ pluginID: String, index: Int, _ request: JSONValue, _ options: CallOptions, control: any ControlBridge
    ) async throws(PluginError) -> JSONValue {
        let plugin = try registry.require(pluginID)
        guard let route = plugin.routes.first(where: { $0.index == index }),
            let items = plugin.tables.routes, items.indices.contains(index)
        else { throw PluginError(.notFound, pluginID: plugin.manifest.id, "has no route \(index)") }
        let name = "route.\(route.method) \(route.path)"
        return try await call(plugin, name, items[index].handle, request, options, control)
    }

    private func call(
        _ plugin: LoadedPlugin, _ name: String, _ entry: Entry?, _ request: JSONValue, _ options: CallOptions,
        _ control: (any ControlBridge)?
    ) async throws(PluginError) -> JSONValue {
        guard let entry else { throw PluginError(.unsupported, pluginID: plugin.manifest.id, "has no \(name)") }
        let call = PluginCall(host: plugin.host, function: name, options: options, control: control)
        let bytes = request.serialized
        let output = try await Invocation(call, on: plugin.lane) { call, token in
            entry(token, call.borrow(bytes))
        }.perform()
        return try Document.parse(output, name, plugin.manifest.id)
    }
}
