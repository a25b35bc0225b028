// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Glibc
import Logging
import PluginHost
import PluginObjects

/// The process that maps the control plane's half of the plugins; the worker starts it.
struct PluginRunnerCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plugin-runner", abstract: "Map plugins for the worker.", shouldDisplay: false
    )

    func run() throws {
        throw ExitCode(
            PluginRunner.main(fd: 3, logger: Log.make("plugin-runner"), objects: { PluginObjects(root: $0) }))
    }
}

/// Loads one library in a process of its own and describes it, so that a bad one harms nobody.
struct PluginProbeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plugin-probe", abstract: "Load a plugin library on trial and describe it.", shouldDisplay: false
    )

    @Argument(help: "The library.")
    var file: String

    func run() throws { throw ExitCode(PluginProbe.run(file: file)) }
}
