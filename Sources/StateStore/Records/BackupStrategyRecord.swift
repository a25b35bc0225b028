// SPDX-License-Identifier: Apache-2.0

/// One row of `backup_strategy`: where backups go when a request does not say.
package struct BackupStrategyRecord: Sendable, Hashable {
    package var id: String
    package var projectID: String
    /// nil: of every instance of the project that has none of its own.
    package var instanceID: String?
    package var container: String

    package init(id: String, projectID: String, instanceID: String?, container: String) {
        self.id = id
        self.projectID = projectID
        self.instanceID = instanceID
        self.container = container
    }
}
