// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Model

/// The control plane and its operator's commands.
@main
struct Trove: AsyncParsableCommand {
    static let version = Product.version

    static let configuration = CommandConfiguration(
        commandName: "trove",
        abstract: "A database-as-a-service control plane.",
        version: version,
        subcommands: [
            ServeCommand.self, AuditCommand.self, FlowsCommand.self, UserCommand.self, PurgeCommand.self,
            PluginCommand.self, PolicyCommand.self, DatabaseCommand.self, InstanceCommand.self,
            TenantDatabaseCommand.self, BackupCommand.self, ConfigurationCommand.self, DatastoreCommand.self,
            FlavorCommand.self, LimitCommand.self, QuotaCommand.self, LogCommand.self, ModuleCommand.self,
            ClusterCommand.self, EventCommand.self, WorkerCommand.self, PluginRunnerCommand.self,
            PluginProbeCommand.self, PluginCheckChildCommand.self,
        ]
    )
}

/// Where the control plane keeps everything.
struct HomeOption: ParsableArguments {
    @Option(
        name: .customLong("home"),
        help: ArgumentHelp("The control plane's directory (TROVE_HOME; default ./.trove).", valueName: "directory")
    )
    var path: String?

    var home: Home { Home(path: path ?? Environment.value("TROVE_HOME") ?? ".trove") }
}
