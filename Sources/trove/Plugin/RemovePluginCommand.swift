// SPDX-License-Identifier: Apache-2.0

import API
import ArgumentParser
import Glibc
import Model
import PluginHost

/// Removes an installed version that nobody uses.
struct RemovePluginCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "remove", abstract: "Remove an installed version that is not active and that nobody uses.")

    @OptionGroup var home: HomeOption

    @Argument(help: ArgumentHelp("The plugin and its version.", valueName: "id@version"))
    var reference: String

    func run() async throws {
        try await reportingErrors {
            let reference = PluginReference(reference)
            guard reference.version != nil else {
                throw StartError("which version of '\(reference)'? Name it as \(reference.id)@VERSION")
            }
            let operation = try PluginOperator(home.home)
            let catalog = operation.scan()
            let candidate = try operation.require(reference, catalog)
            guard candidate.directory.hasPrefix(operation.home.installedPlugins + "/") else {
                throw StartError(
                    "\(reference) is at \(candidate.directory) and was not put there by 'trove plugin install'; "
                        + "'trove plugin disable \(reference.id)' keeps it from being loaded")
            }
            try await refuseUsed(reference, operation, catalog)
            let away = operation.home.installedPlugins + "/.removed-\(reference)-\(getpid())"
            guard rename(candidate.directory, away) == 0 else {
                throw StartError("cannot move \(candidate.directory): \(String(cString: strerror(errno)))")
            }
            do {
                // A create that chose this version just before has written it down by now, or finds it gone.
                try await refuseUsed(reference, operation, catalog)
            } catch {
                rename(away, candidate.directory)
                throw error
            }
            let decisions = try operation.state.update { state in
                if state.previous[reference.id] == reference.version { state.previous[reference.id] = nil }
                state.quarantine[reference.description] = nil
                // Also the last trace of a plugin that is gone altogether.
                if catalog.candidates.count(where: { $0.manifest.id == reference.id }) == 1 {
                    state.enabled.remove(reference.id)
                    state.active[reference.id] = nil
                }
            }
            try Files.removeTree(away)
            let status = try RunningControlPlane(home: operation.home).take(decisions)
            Output.line("\(reference) is removed" + (status == nil ? "; no control plane runs" : ""))
        }
    }

    private func refuseUsed(
        _ reference: PluginReference, _ operation: PluginOperator, _ catalog: PluginCatalog
    ) async throws {
        let decisions = try operation.state.read()
        let isActive = operation.activeVersion(reference.id, decisions, catalog) == reference.version
        guard !isActive || decisions.disabled.contains(reference.id) else {
            throw StartError(
                "\(reference) is the active version; activate another one, or disable \(reference.id), first")
        }
        let usage = try await operation.usage(reference, decisions, catalog)
        guard usage.isEmpty else { throw StartError("\(reference) is used by \(usage.description)") }
    }
}
