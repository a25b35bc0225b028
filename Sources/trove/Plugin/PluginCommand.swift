// SPDX-License-Identifier: Apache-2.0

import ArgumentParser

/// The operator's commands about plugins.
struct PluginCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plugin",
        abstract: "Inspect, trust, install and remove plugins.",
        subcommands: [
            ListPluginsCommand.self, ShowPluginCommand.self, InstallPluginCommand.self, ActivatePluginCommand.self,
            RollbackPluginCommand.self, RemovePluginCommand.self, EnablePluginCommand.self, DisablePluginCommand.self,
            LiftPluginCommand.self, ProbePluginCommand.self, SignPluginCommand.self, GenerateKeyCommand.self,
            PluginCheckCommand.self, NewPluginCommand.self, PluginSDKCommand.self,
        ]
    )
}
