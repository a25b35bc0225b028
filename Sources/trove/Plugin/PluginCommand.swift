// SPDX-License-Identifier: Apache-2.0

import ArgumentParser

/// The operator's commands about plugins.
struct PluginCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plugin",
        abstract: "Inspect, trust, install and remove plugins.",
        subcommands: []
    )
}
