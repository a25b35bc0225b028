// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Model
import PluginHost

/// Installs a plugin and makes it the active version.
struct InstallPluginCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "install",
        abstract: "Install a plugin from a directory or a .tar.zst, and make it the active version.",
        discussion: """
            The plugin is checked as trust in plugins.yaml asks for and loaded on trial in a child. A control plane that \
            runs takes it up without a restart: new instances use it, those that are there keep the version they have \
            until 'trove datastore migrate'. 'trove plugin rollback' makes the version before active again.
            """
    )

    @OptionGroup var home: HomeOption

    @Argument(help: ArgumentHelp("A plugin's directory, or a tar archive of one in zstd.", valueName: "package"))
    var package: String

    func run() async throws {
        try await reportingErrors {
            let operation = try PluginOperator(home.home)
            let before = operation.scan()
            let (candidate, inspection, outcome) = try PluginInstaller(operation: operation).install(package)
            let manifest = candidate.manifest
            Output.line(
                outcome == .installed
                    ? "installed \(manifest.reference) in \(candidate.directory)"
                    : "\(manifest.reference) is at \(candidate.directory) already, with the same files")
            Output.line("  sha256 \(inspection.sha256), signed by \(inspection.signer ?? "nobody that is trusted")")
            if outcome == .present,
                let active = operation.activeVersion(manifest.id, operation.catalogue.decisions, before),
                active != manifest.version
            {
                Output.line(
                    "  version \(active) stays active; 'trove plugin activate \(manifest.reference)' changes that")
                return
            }
            let decisions = try operation.state.update { state in
                state.activate(
                    manifest.id, manifest.version, before: operation.activeVersion(manifest.id, state, before))
                state.enabled.insert(manifest.id)
                state.disabled.remove(manifest.id)
            }
            try PluginOutcome(operation: operation, reference: manifest.reference).report(decisions)
            hint(manifest, operation)
        }
    }

    private func hint(_ manifest: PluginManifest, _ operation: PluginOperator) {
        if operation.catalogue.plugins.disabled.contains(where: { PluginReference($0).matches(manifest) }) {
            Output.line("  plugins.yaml has it in 'disabled': it is not loaded")
        }
        guard manifest.provides.contains("trove.datastore/1"),
            !operation.catalogue.datastores.contains(where: { file in
                file.references.contains { PluginReference($0).id == manifest.id }
            })
        else { return }
        Output.line(
            "  no datastore version names it yet: put a file into \(operation.home.configuration)/datastores and send "
                + "SIGHUP to 'trove serve'")
    }
}

/// Says what became of a decision about a version that shall be active.
struct PluginOutcome {
    let operation: PluginOperator
    /// `id@version`.
    let reference: String

    /// Waits for a control plane that runs.
    ///
    /// - Throws: `StartError` when the version is not in use now.
    func report(_ decisions: PluginState) throws {
        guard let status = try RunningControlPlane(home: operation.home).take(decisions) else {
            Output.line("\(reference) is active; no control plane runs, the next one uses it")
            return
        }
        if let problem = status.problem(PluginReference(reference)) {
            throw StartError(
                "\(reference) is active and not in use: \(problem)\n"
                    + "       'trove plugin rollback \(PluginReference(reference).id)' makes the version before active again"
            )
        }
        Output.line("\(reference) is active and in use")
    }
}
