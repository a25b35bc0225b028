// SPDX-License-Identifier: Apache-2.0

package import Model
package import PluginHost

extension GuestPlugins {
    /// Runs an action of a plugin that this guest has loaded.
    ///
    /// - Parameter reference: `id` or `id@version`.
    /// - Throws: `notFound` for any other plugin or action; what the plugin reports.
    package func action(
        _ reference: String, _ name: String, _ arguments: JSONValue, deadline: Deadline, context: RequestContext
    ) async throws(PluginError) -> ActionResult {
        let registry = try await loadedRegistry(reference)
        // The datastore's plugin may need its opened state, which its first call makes.
        if GuestConfiguration.pluginID(reference) == GuestConfiguration.pluginID(configuration.datastorePlugin) {
            _ = try await datastore()
        }
        let mark = "action.\(name)"
        marks.begin(mark, plugin: GuestConfiguration.pluginID(reference))
        defer { marks.end(mark) }
        return try await registry.action(reference, name, arguments, options(deadline, context))
    }

    /// Whether a plugin serves modules of this type here.
    package func hasModuleDriver(_ type: String) async -> Bool {
        (try? await loadedRegistry(""))?.moduleDriver(type) != nil
    }

    /// Hands a module to the plugin that serves its type.
    ///
    /// - Parameter module: module-request document.
    /// - Returns: What the plugin emitted.
    package func module(
        _ function: ModuleFunction, _ module: JSONValue, deadline: Deadline, context: RequestContext
    ) async throws(PluginError) -> JSONValue {
        let registry = try await loadedRegistry("")
        let mark = "module.\(function.rawValue)"
        marks.begin(mark, plugin: registry.moduleDriver(module["type"]?.stringValue ?? "")?.manifest.id ?? "")
        defer { marks.end(mark) }
        return try await registry.module(function, module, options(deadline, context))
    }
}
