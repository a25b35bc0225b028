// SPDX-License-Identifier: Apache-2.0

import ArgumentParser

/// A tenant's commands about instances, for what the OpenStack client has no words for.
struct InstanceCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "instance", abstract: "Call actions that plugins add to instances.",
        subcommands: [InstanceActionCommand.self]
    )
}
