// SPDX-License-Identifier: Apache-2.0

import CLinux
import Logging
import Metrics
import Synchronization

/// The plugins of one process.
package final class PluginRegistry: Sendable {
    package let configuration: PluginHostConfiguration

    private struct State {
        var plugins: [LoadedPlugin] = []
        var refusals: [PluginRefusal] = []
        var isLoaded = false
    }

    private let state = Mutex(State())

    package init(configuration: PluginHostConfiguration) { self.configuration = configuration }

    /// Finds, checks and loads every enabled plugin of this role. Blocks: for start-up.
    ///
    /// A plugin that cannot be used is a refusal, never an error: the others go on.
    /// - Throws: `preconditionFailed` when it was called before; `internal` when nothing can watch for faults.
    package func load() throws(PluginError) {
        let isFirst = state.withLock { state in
            defer { state.isLoaded = true }
            return !state.isLoaded
        }
        guard isFirst else { throw PluginError(.preconditionFailed, "the plugins of this registry are loaded already") }
        let watched = clinux_fault_install(-1)
        guard watched == 0 else {
            throw PluginError(.internal, "fatal signals cannot be watched: errno \(watched)")
        }
        let catalog = PluginCatalog(directories: configuration.directories)
        for refusal in catalog.refusals { refuse(refusal) }
        let loader = PluginLoader(configuration: configuration)
        var routes: [String: PluginRoute] = [:]
        for candidate in wanted(catalog) {
            do throws(PluginRefusal) {
                let plugin = try loader.load(candidate)
                try claim(plugin, &routes)
                state.withLock { $0.plugins.append(plugin) }
                announce(plugin)
            } catch {
                refuse(error)
            }
        }
    }

    /// The plugin that a reference `id` or `id@version` names.
    package func plugin(_ reference: String) -> LoadedPlugin? {
        let reference = PluginReference(reference)
        return plugins.first { reference.matches($0.manifest) }
    }

    /// What was not loaded, and why; also shadowed plugins.
    package var refusals: [PluginRefusal] { state.withLock(\.refusals) }

    /// In the order of their references.
    package var plugins: [LoadedPlugin] { state.withLock(\.plugins) }

    /// Stops intake, cancels and awaits calls, ends each plugin. Blocks for the grace period at most, per plugin that
    /// does not let go.
    package func shutdown() {
        let plugins = state.withLock { state in
            defer { state.plugins = [] }
            return state.plugins
        }
        for plugin in plugins.reversed() where !plugin.shutDown() {
            configuration.logger.warning(
                "plugin has calls that do not end, left as it is", metadata: ["plugin.id": "\(plugin.manifest.id)"])
        }
    }

    /// The plugin, or an error that says why it is not there.
    func require(_ reference: String) throws(PluginError) -> LoadedPlugin {
        if let plugin = plugin(reference) { return plugin }
        let wanted = PluginReference(reference)
        let reason = refusals.last { $0.id == wanted.id && $0.cause != .shadowed }
        throw PluginError(
            .notFound, pluginID: wanted.id,
            reason.map { "plugin '\(reference)' is refused: \($0)" } ?? "plugin '\(reference)' is not enabled here")
    }

    /// Enabled candidates of this role, each once.
    private func wanted(_ catalog: PluginCatalog) -> [PluginCandidate] {
        let disabled = configuration.disabled.map { PluginReference($0) }
        var found: [PluginCandidate] = []
        for text in configuration.enabled.sorted() {
            let reference = PluginReference(text)
            guard let candidate = catalog.find(reference) else {
                if catalog.refusals.contains(where: { $0.id == reference.id && $0.cause != .shadowed }) { continue }
                let directories = configuration.directories.joined(separator: ":")
                refuse(
                    PluginRefusal(
                        path: directories, id: reference.id, cause: .notFound,
                        message: "'\(reference)' is enabled and in none of the plugin directories"))
                continue
            }
            let manifest = candidate.manifest
            guard !disabled.contains(where: { $0.matches(manifest) }) else {
                configuration.logger.notice("plugin is disabled", metadata: ["plugin.id": "\(manifest.id)"])
                continue
            }
            guard manifest.roles.contains(configuration.role) else { continue }
            guard !found.contains(where: { $0.directory == candidate.directory }) else { continue }
            found.append(candidate)
        }
        return found
    }

    /// Takes a plugin's routes, or refuses the plugin for one that another has.
    private func claim(_ plugin: LoadedPlugin, _ routes: inout [String: PluginRoute]) throws(PluginRefusal) {
        var own: [String: PluginRoute] = [:]
        for route in plugin.routes {
            guard let key = RoutePattern.parse(route.path, pluginID: route.pluginID).pattern?.key(method: route.method) else { continue }
            if let other = routes[key] {
                _ = plugin.shutDown()
                throw PluginRefusal(
                    path: plugin.directory, id: plugin.manifest.id, cause: .clash,
                    message: "\(route.method) \(route.path) of '\(plugin.manifest.id)' is \(other.path) of "
                        + "'\(other.pluginID)' already")
            }
            own[key] = route
        }
        routes.merge(own) { first, _ in first }
    }

    private func announce(_ plugin: LoadedPlugin) {
        configuration.logger.notice(
            "plugin loaded",
            metadata: [
                "plugin.id": "\(plugin.manifest.id)", "plugin.version": "\(plugin.manifest.version)",
                "plugin.sha256": "\(plugin.manifest.library.sha256)", "plugin.directory": "\(plugin.directory)",
                "plugin.role": "\(configuration.role.rawValue)",
            ])
    }

    private func refuse(_ refusal: PluginRefusal) {
        state.withLock { $0.refusals.append(refusal) }
        Counter(label: "trove.plugin.refusals", dimensions: [("cause", refusal.cause.rawValue)]).increment()
        configuration.logger.warning(
            "plugin refused",
            metadata: [
                "plugin.id": "\(refusal.id ?? "")", "plugin.path": "\(refusal.path)",
                "error.code": "\(refusal.cause.rawValue)", "error.message": "\(refusal.message)",
            ])
    }
}
