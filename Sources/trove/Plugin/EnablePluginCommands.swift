// SPDX-License-Identifier: Apache-2.0

import API
import ArgumentParser
import Model
import PluginHost

/// Lets a plugin be loaded.
struct EnablePluginCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "enable", abstract: "Load a plugin that is there, and take back 'disable'.")

    @OptionGroup var home: HomeOption

    @Argument(help: "The plugin's id.")
    var id: String

    func run() async throws {
        try await reportingErrors {
            let operation = try PluginOperator(home.home)
            let candidate = try operation.require(PluginReference(id), operation.scan())
            if operation.catalogue.plugins.disabled.contains(where: { PluginReference($0).matches(candidate.manifest) })
            {
                throw StartError("plugins.yaml has '\(id)' in 'disabled', which wins; take it out there")
            }
            let decisions = try operation.state.update { state in
                state.enabled.insert(id)
                state.disabled.remove(id)
            }
            try PluginOutcome(operation: operation, reference: candidate.manifest.reference).report(decisions)
        }
    }
}

/// Keeps a plugin from being loaded.
struct DisablePluginCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "disable",
        abstract: "Never load a plugin, whoever names it.",
        discussion: """
            Its routes and actions go and creates that need it are refused. Instances that use it run on; what needs the \
            plugin's policy half for them is refused too.
            """
    )

    @OptionGroup var home: HomeOption

    @Argument(help: "The plugin's id.")
    var id: String

    func run() async throws {
        try await reportingErrors {
            let operation = try PluginOperator(home.home)
            let catalog = operation.scan()
            let candidate = try operation.require(PluginReference(id), catalog)
            let usage = try await operation.usage(
                PluginReference(candidate.manifest.reference), operation.catalogue.decisions, catalog)
            let decisions = try operation.state.update { state in
                state.enabled.remove(id)
                state.disabled.insert(id)
            }
            let status = try RunningControlPlane(home: operation.home).take(decisions)
            Output.line("\(id) is disabled" + (status == nil ? "; no control plane runs" : ""))
            if !usage.isEmpty { Output.line("  it is used by \(usage.description)") }
        }
    }
}

/// Ends a quarantine.
struct LiftPluginCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "lift", abstract: "Let a plugin that is quarantined be called again.")

    @OptionGroup var home: HomeOption

    @Argument(help: ArgumentHelp("The plugin's id, or one version of it.", valueName: "id[@version]"))
    var reference: String

    func run() async throws {
        try await reportingErrors {
            let operation = try PluginOperator(home.home)
            let reference = PluginReference(reference)
            var lifted: [String] = []
            let decisions = try operation.state.update { state in
                lifted = state.quarantine.keys.filter { PluginReference($0).overlaps(reference) }.sorted()
                guard !lifted.isEmpty else { throw StartError("'\(reference)' is not quarantined") }
                for key in lifted { state.quarantine[key] = nil }
            }
            let status = try RunningControlPlane(home: operation.home).take(decisions)
            for key in lifted {
                Output.line("\(key) is called again" + (status == nil ? "; no control plane runs" : ""))
            }
        }
    }
}
