// SPDX-License-Identifier: Apache-2.0

import CLinux
import Glibc
import Logging
import Metrics
import Synchronization

/// The plugins of one process.
package final class PluginRegistry: Sendable {
    package let configuration: PluginHostConfiguration

    private struct State {
        var plugins: [LoadedPlugin] = []
        /// Enabled plugins of another role, whose files can be trusted.
        var others: [PluginDescription] = []
        /// Version by id that a reference without one means.
        var active: [String: String] = [:]
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
        var routes: [PluginRoute] = []
        var claimed: [PluginManifest] = []
        let active = activeVersions(catalog)
        state.withLock { $0.active = active }
        for candidate in wanted(catalog, active) {
            do throws(PluginRefusal) {
                try PluginClashes.check(candidate, against: claimed)
                guard candidate.manifest.roles.contains(configuration.role) else {
                    try know(candidate)
                    claimed.append(candidate.manifest)
                    continue
                }
                let plugin = try loader.load(candidate)
                if isActive(plugin.manifest) { try claim(plugin, &routes) }
                state.withLock { $0.plugins.append(plugin) }
                claimed.append(plugin.manifest)
                announce(plugin)
            } catch {
                refuse(error)
            }
        }
    }

    /// The plugin that a reference `id` or `id@version` names; without a version, the active one.
    package func plugin(_ reference: String) -> LoadedPlugin? {
        let reference = PluginReference(reference)
        return plugins.first {
            reference.matches($0.manifest) && (reference.version != nil || isActive($0.manifest))
        }
    }

    /// Whether a reference without a version means this one.
    func isActive(_ manifest: PluginManifest) -> Bool {
        state.withLock { $0.active[manifest.id] } == manifest.version
    }

    /// What is in use, and what is enabled for another role and can be trusted.
    var descriptions: [PluginDescription] {
        let (plugins, others, active) = state.withLock { ($0.plugins, $0.others, $0.active) }
        return (plugins.map(\.description) + others).map { description in
            var description = description
            description.isActive = active[description.id] == description.version
            return description
        }
    }

    /// Routes of the active versions.
    var routes: [PluginRoute] { plugins.filter { isActive($0.manifest) }.flatMap(\.routes) }

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

    /// What configuration says, and for other ids the first that is found.
    private func activeVersions(_ catalog: PluginCatalog) -> [String: String] {
        catalog.candidates.reduce(into: configuration.active) { active, candidate in
            if active[candidate.manifest.id] == nil { active[candidate.manifest.id] = candidate.manifest.version }
        }
    }

    /// Remembers a plugin of another role, whose files are checked and whose code is not loaded.
    private func know(_ candidate: PluginCandidate) throws(PluginRefusal) {
        let library = try PluginVerifier(trust: configuration.trust).open(candidate)
        close(library.file)
        let manifest = candidate.manifest
        let description = PluginDescription(
            id: manifest.id, version: manifest.version, sha256: library.sha256,
            roles: manifest.roles.map(\.rawValue).sorted(), provides: manifest.provides,
            directory: candidate.directory, signer: library.signer, isLoaded: false, actions: manifest.actions,
            datastores: manifest.datastores, canDryRun: manifest.canDryRun,
            makesIncrements: manifest.makesIncrements)
        state.withLock { $0.others.append(description) }
    }

    /// Enabled candidates, each once.
    private func wanted(_ catalog: PluginCatalog, _ active: [String: String]) -> [PluginCandidate] {
        let disabled = configuration.disabled.map { PluginReference($0) }
        var found: [PluginCandidate] = []
        for text in configuration.enabled.sorted() {
            let reference = PluginReference(text)
            guard let candidate = catalog.find(reference, active: active) else {
                if catalog.refusals.contains(where: { $0.id == reference.id && $0.cause != .shadowed }) { continue }
                let directories = configuration.directories.joined(separator: ":")
                refuse(
                    PluginRefusal(
                        path: directories, id: reference.id, cause: .notFound,
                        message: "'\(wanted(reference, active))' is enabled and in none of the plugin directories"))
                continue
            }
            let manifest = candidate.manifest
            guard !disabled.contains(where: { $0.matches(manifest) }) else {
                configuration.logger.notice("plugin is disabled", metadata: ["plugin.id": "\(manifest.id)"])
                continue
            }
            guard !found.contains(where: { $0.directory == candidate.directory }) else { continue }
            found.append(candidate)
        }
        return found
    }

    private func wanted(_ reference: PluginReference, _ active: [String: String]) -> String {
        guard reference.version == nil, let version = active[reference.id] else { return "\(reference)" }
        return "\(reference.id)@\(version)"
    }

    /// Takes a plugin's routes, or refuses the plugin for one that the core or another has.
    private func claim(_ plugin: LoadedPlugin, _ routes: inout [PluginRoute]) throws(PluginRefusal) {
        do throws(PluginRefusal) {
            try PluginClashes.check(plugin, core: configuration.coreRoutes, others: routes)
            try PluginClashes.check(plugin, drivers: plugins)
        } catch {
            _ = plugin.shutDown()
            throw error
        }
        routes += plugin.routes
    }

    private func announce(_ plugin: LoadedPlugin) {
        configuration.logger.notice(
            "plugin loaded",
            metadata: [
                "plugin.id": "\(plugin.manifest.id)", "plugin.version": "\(plugin.manifest.version)",
                "plugin.sha256": "\(plugin.sha256)", "plugin.signer": "\(plugin.signer ?? "none")",
                "plugin.directory": "\(plugin.directory)", "plugin.role": "\(configuration.role.rawValue)",
            ])
        let unknown = plugin.manifest.provides.filter {
            $0.hasPrefix("trove.") && !ExtensionTables.known.contains($0)
        }
        guard !unknown.isEmpty else { return }
        configuration.logger.notice(
            "plugin provides extensions that this host does not know",
            metadata: [
                "plugin.id": "\(plugin.manifest.id)", "plugin.version": "\(plugin.manifest.version)",
                "plugin.extensions": "\(unknown.joined(separator: " "))",
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
