// SPDX-License-Identifier: Apache-2.0

import ArgumentParser

/// The operator's commands about datastores.
struct DatastoreCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "datastore",
        abstract: "Move instances from one plugin version to another.",
        subcommands: [MigrateCommand.self]
    )
}
