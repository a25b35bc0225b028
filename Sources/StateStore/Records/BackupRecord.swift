// SPDX-License-Identifier: Apache-2.0

package import Model

/// One row of `backups`.
package struct BackupRecord: Sendable, Hashable {
    package var id: String
    package var name: String
    package var description: String?
    package var projectID: String
    package var instanceID: String?
    package var parentID: String?
    package var state: BackupState
    /// Where the sealed object is, as shown in `locationRef`.
    package var location: String?
    /// Where the object store keeps it; nil: where it keeps backups without one.
    package var container: String?
    /// Bytes of the engine's stream before compression; `size` of the API in GB is derived from it.
    package var sizeBytes: Int64?
    /// Lower-case hex SHA-256 of the sealed object.
    package var checksum: String?
    /// The strategy's plugin id, e.g. `org.example.stream`.
    package var backupType: String?
    package var datastoreVersionID: String
    /// What the strategy emitted; the parent of an increment.
    package var position: JSONValue?
    package var created: Timestamp
    package var updated: Timestamp
    package var deleted: Timestamp?
    /// From the join: names of the datastore and its version.
    package var datastoreName: String = ""
    package var datastoreVersionName: String = ""

    package init(
        id: String, name: String, description: String?, projectID: String, instanceID: String?, parentID: String? = nil,
        state: BackupState = .new, backupType: String?, datastoreVersionID: String, created: Timestamp
    ) {
        self.id = id
        self.name = name
        self.description = description
        self.projectID = projectID
        self.instanceID = instanceID
        self.parentID = parentID
        self.state = state
        self.backupType = backupType
        self.datastoreVersionID = datastoreVersionID
        self.created = created
        updated = created
    }
}
