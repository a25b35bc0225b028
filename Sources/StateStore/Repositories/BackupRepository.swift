// SPDX-License-Identifier: Apache-2.0

package import Model

package protocol BackupRepository {
    func insert(_ record: BackupRecord) throws
    func find(_ id: String) throws -> BackupRecord?
    /// One page, `updated` descending, `offset` rows skipped. Filters that are nil do not apply.
    func page(
        projectID: String?, instanceID: String?, datastoreID: String?, offset: Int, limit: Int
    ) throws -> [BackupRecord]
    /// Live children of a backup.
    func children(of id: String) throws -> [BackupRecord]
    func all() throws -> [BackupRecord]
    /// Whether a backup of the instance is NEW, BUILDING or SAVING.
    func isRunning(instanceID: String) throws -> Bool
    /// Writes state and what the guest reports; fields that are nil stay.
    func update(
        _ id: String, state: BackupState?, sizeBytes: Int64?, checksum: String?, location: String?,
        position: JSONValue?, now: Timestamp
    ) throws
    func markDeleted(_ id: String, now: Timestamp) throws
    /// Marks running backups of the instance FAILED (its instance was reset or deleted).
    func failRunning(instanceID: String, now: Timestamp) throws
}
