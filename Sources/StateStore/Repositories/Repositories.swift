// SPDX-License-Identifier: Apache-2.0

package import Model

/// Instances, their service status, and the joins that lists need.
package protocol InstanceRepository {
    func insert(_ record: InstanceRecord) throws
    /// The live row; `nil` when it is deleted or was never there.
    func find(_ id: String) throws -> InstanceRecord?
    /// The live row with its datastore, running backup and fault, in one statement.
    func summary(_ id: String) throws -> InstanceSummary?
    /// One page of live instances, `id > marker`, ids ascending; `projectID` nil means all projects. `limit` rows at most.
    func page(projectID: String?, after marker: String?, limit: Int) throws -> [InstanceSummary]
    /// Every live instance (start-up reconciliation and audit).
    func all() throws -> [InstanceRecord]
    /// Sets the task when the row's task is one of `expected` (any when nil); `.conflict` otherwise.
    func setTask(_ id: String, to task: InstanceTask, expecting expected: [InstanceTask]?, now: Timestamp) throws
    func setName(_ id: String, to name: String, now: Timestamp) throws
    func setServer(_ id: String, serverID: String?, status: ServerStatus, address: String?, now: Timestamp) throws
    func setService(_ id: String, to status: ServiceStatus, heartbeat: Timestamp) throws
    /// Many heartbeats in one statement each.
    func setServices(_ changes: [ServiceReport]) throws
    /// Marks the row deleted, task NONE, service DELETED.
    func markDeleted(_ id: String, now: Timestamp) throws
}

/// What one heartbeat says.
package struct ServiceReport: Sendable, Hashable {
    package var instanceID: String
    package var status: ServiceStatus
    package var heartbeat: Timestamp
    package var volumeUsedBytes: Int?

    package init(instanceID: String, status: ServiceStatus, heartbeat: Timestamp, volumeUsedBytes: Int?) {
        self.instanceID = instanceID
        self.status = status
        self.heartbeat = heartbeat
        self.volumeUsedBytes = volumeUsedBytes
    }
}

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

package protocol DatastoreRepository {
    func all() throws -> [DatastoreRecord]
    func find(idOrName: String) throws -> DatastoreRecord?
    func versions(datastoreID: String) throws -> [DatastoreVersionRecord]
    func allVersions() throws -> [DatastoreVersionRecord]
    func version(_ id: String) throws -> DatastoreVersionRecord?
    func upsert(_ record: DatastoreRecord) throws
    func upsert(_ record: DatastoreVersionRecord) throws
}

package protocol JournalRepository {
    func insert(_ record: JournalRecord) throws
    func find(_ id: String) throws -> JournalRecord?
    /// Claims the oldest row that is ready (or whose lease has expired) and due; fence + 1, state running.
    func claim(owner: String, now: Timestamp, lease: Duration, excluding resourceIDs: [String]) throws -> JournalRecord?
    /// When the next row becomes due; nil without one.
    func nextDue() throws -> Timestamp?
    /// Extends the lease of `id`; `.conflict` when the fence has moved on.
    func renew(_ id: String, fence: Int, until: Timestamp) throws
    /// Writes step, done flag, scratch and attempt; `.conflict` when the fence has moved on.
    func record(
        _ id: String, fence: Int, step: String, isDone: Bool, scratch: JSONValue, attempt: Int, now: Timestamp
    ) throws
    /// Gives the row back to be claimed not before `notBefore`.
    func postpone(_ id: String, fence: Int, notBefore: Timestamp, error: String?, now: Timestamp) throws
    /// Ends the row as done or failed.
    func finish(_ id: String, fence: Int, state: JournalRecord.State, error: String?, now: Timestamp) throws
    /// Removes every member of the row's input but `keys` (passwords are not kept longer than they are needed).
    func scrubInput(_ id: String, keeping keys: [String]) throws
    /// Rows that are not finished, for one resource or for all.
    func live(resourceID: String?) throws -> [JournalRecord]
    /// Makes every row leased by `owner` claimable at once (a clean stop, or a restart under the same name).
    func release(owner: String) throws
}

package protocol LedgerRepository {
    /// Writes entries that are not there yet.
    func add(_ entries: [LedgerEntry]) throws
    func strike(kind: String, tag: String) throws
    func strike(ownerID: String, kinds: [String]) throws
    func all() throws -> [LedgerEntry]
    func owned(by ownerID: String) throws -> [LedgerEntry]
}

package protocol QuotaRepository {
    /// Computed from live rows of the project; ram from `flavorRAM` (flavor id → MiB).
    func usage(projectID: String, flavorRAM: [String: Int]) throws -> QuotaUsage
    /// Limits stored for the project, by resource name; absent means the default.
    func limits(projectID: String) throws -> [String: Int]
    func setLimit(projectID: String, resource: String, limit: Int) throws
}

package protocol FaultRepository {
    /// Inserts or replaces the instance's fault.
    func save(_ record: FaultRecord) throws
    func find(instanceID: String) throws -> FaultRecord?
    func clear(instanceID: String) throws
}

/// Who enabled root last, and when ("ever enabled").
package protocol RootHistoryRepository {
    func record(instanceID: String, userID: String, now: Timestamp) throws
    func find(instanceID: String) throws -> (userID: String, created: Timestamp)?
    func clear(instanceID: String) throws
}

/// The newest `sent` mark per instance and method; older messages are dropped.
package protocol LastSeenRepository {
    /// True when `sent` is newer than what is stored, which it then becomes.
    func advance(instanceID: String, method: String, sent: Double) throws -> Bool
}

/// Tokens that were revoked before they expired.
package protocol RevocationRepository {
    func revoke(tokenDigest: String, expires: Timestamp) throws
    func isRevoked(tokenDigest: String) throws -> Bool
    func purge(now: Timestamp) throws
    func all() throws -> [String]
}
