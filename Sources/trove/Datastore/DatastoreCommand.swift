// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Client

/// What tenants see of datastores, and the operator's commands about them.
struct DatastoreCommand: ParsableCommand {
    static let configuration = Noun.configuration(
        "datastore", "Show datastores and their versions; move instances from one plugin version to another.",
        [
            ListCommand<Datastores, NoFilter>.self, ShowCommand<Datastores>.self, DatastoreVersionCommand.self,
            MigrateCommand.self,
        ])
}
