// SPDX-License-Identifier: Apache-2.0

import API
import ArgumentParser
import Glibc
import Model
import PluginHost
import StateStore

/// What the operator's plugin commands work with: the home's files, and its state store if there is one.
struct PluginOperator {
    let home: Home
    let installation: Installation
    let catalogue: Catalogue
    let state: PluginStateFile

    init(_ home: Home) throws {
        self.home = home
        installation = try Installation()
        try home.prepare()
        state = PluginStateFile(home)
        catalogue = try Catalogue.read(home: home, installation: installation)
    }

    /// What the plugin directories hold now.
    func scan() -> PluginCatalog { PluginCatalog(directories: catalogue.pluginDirectories) }

    /// The version that references without one mean; nil for an id that is not there.
    func activeVersion(_ id: String, _ decisions: PluginState, _ catalog: PluginCatalog) -> String? {
        decisions.active[id] ?? catalog.find(PluginReference(id))?.manifest.version
    }

    /// How libraries are tried in a child.
    var trialConfiguration: PluginHostConfiguration {
        var configuration = PluginHostConfiguration(
            directories: [], enabled: [], role: .control, settings: catalogue.plugins.settings,
            probeCommand: [installation.executable, "plugin-probe"], logger: Log.make("plugin"))
        configuration.trust = catalogue.plugins.trust
        return configuration
    }

    /// Every reference to a plugin that the home's control plane holds; nil for a home that was never served.
    func references() async throws -> PluginReferences? {
        let configuration = try await WorkerConfiguration.read(home, installation)
        guard let store = try await configuration.state.existing(home, logger: Log.make("plugin")) else { return nil }
        do {
            let references = try await store.read { try PluginReferences($0) }
            await store.close()
            return references
        } catch {
            await store.close()
            throw error
        }
    }

    /// Who uses a version.
    func usage(
        _ reference: PluginReference, _ decisions: PluginState, _ catalog: PluginCatalog
    ) async throws -> PluginUsage {
        let isLast = catalog.candidates.count { $0.manifest.id == reference.id } < 2
        return try await references()?.usage(
            of: reference, isActive: activeVersion(reference.id, decisions, catalog) == reference.version,
            isLast: isLast) ?? PluginUsage()
    }

    /// The candidate that `id@version` or `id` names, or an error that says what there is.
    func require(_ reference: PluginReference, _ catalog: PluginCatalog) throws -> PluginCandidate {
        if let found = catalog.find(reference, active: catalogue.decisions.active) { return found }
        let others = catalog.candidates.filter { $0.manifest.id == reference.id }.map(\.manifest.version)
        if let refusal = catalog.refusals.first(where: { $0.id == reference.id }) { throw StartError("\(refusal)") }
        throw StartError(
            "there is no plugin '\(reference)'"
                + (others.isEmpty
                    ? "; 'trove plugin list' shows those that are there"
                    : "; of \(reference.id) there is \(others.joined(separator: ", "))"))
    }
}

/// Runs a command's work and prints what goes wrong; the exit code is 1 then.
func reportingErrors(_ body: () async throws -> Void) async throws {
    do {
        try await body()
    } catch let error as StartError {
        Output.error(error.message)
        throw ExitCode(1)
    } catch let error as PluginRefusal {
        Output.error("\(error)")
        throw ExitCode(1)
    } catch let error as PluginError {
        Output.error(error.message)
        throw ExitCode(1)
    } catch let error as StateStoreError {
        Output.error(error.message)
        throw ExitCode(1)
    }
}
