// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Model
import PluginHost

/// Makes a version that is there the active one.
struct ActivatePluginCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "activate", abstract: "Make a version that is there the active one.")

    @OptionGroup var home: HomeOption

    @Argument(help: ArgumentHelp("The plugin and its version.", valueName: "id@version"))
    var reference: String

    func run() async throws {
        try await reportingErrors {
            let reference = PluginReference(reference)
            guard let version = reference.version else {
                throw StartError("which version of '\(reference)'? Name it as \(reference.id)@VERSION")
            }
            let operation = try PluginOperator(home.home)
            let catalog = operation.scan()
            _ = try operation.require(reference, catalog)
            let decisions = try operation.state.update { state in
                state.activate(reference.id, version, before: operation.activeVersion(reference.id, state, catalog))
            }
            try PluginOutcome(operation: operation, reference: reference.description).report(decisions)
        }
    }
}

/// Makes the version before the active one active again.
struct RollbackPluginCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rollback",
        abstract: "Make the version that was active before active again.",
        discussion: "Instances that were made with the other version keep it until 'trove datastore migrate'."
    )

    @OptionGroup var home: HomeOption

    @Argument(help: "The plugin's id.")
    var id: String

    func run() async throws {
        try await reportingErrors {
            let operation = try PluginOperator(home.home)
            let catalog = operation.scan()
            let decisions = try operation.state.update { state in
                guard let version = state.previous[id] else {
                    throw StartError("no version of '\(id)' was active before the one that is")
                }
                _ = try operation.require(PluginReference("\(id)@\(version)"), catalog)
                state.activate(id, version, before: operation.activeVersion(id, state, catalog))
            }
            let version = decisions.active[id] ?? ""
            try PluginOutcome(operation: operation, reference: "\(id)@\(version)").report(decisions)
        }
    }
}
