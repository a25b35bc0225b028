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
    /// Only what a list shows is read.
    ///
    /// - Parameter withMembers: Also those that are members of clusters.
    func outlines(projectID: String?, after marker: String?, limit: Int, withMembers: Bool) throws -> [InstanceOutline]
    /// The same page with all that is known of each.
    func page(projectID: String?, after marker: String?, limit: Int, withMembers: Bool) throws -> [InstanceSummary]
    /// As `page`, with what a list in detail shows.
    func details(projectID: String?, after marker: String?, limit: Int, withMembers: Bool) throws -> [InstanceDetail]
    /// The row, live or deleted, with who enabled root, in one statement.
    func managed(_ id: String) throws -> ManagedInstance?
    /// One page, `updated` descending, `offset` rows skipped, in one statement.
    ///
    /// - Parameters:
    ///   - projectID: nil: of all projects.
    ///   - isDeleted: nil: live and deleted ones.
    ///   - withMembers: Also those that are members of clusters.
    func managedPage(
        projectID: String?, isDeleted: Bool?, withMembers: Bool, offset: Int, limit: Int
    ) throws -> [ManagedInstance]
    /// Projects with live instances, and how many, by id.
    func countsByProject() throws -> [(name: String, count: Int)]
    /// Ids of a project's live instances, ascending.
    func ids(ofProject projectID: String) throws -> [String]
    /// Hosts of live instances, and how many, by name.
    func countsByHost() throws -> [(name: String, count: Int)]
    /// The live instances of a host, by id.
    func summaries(ofHost host: String) throws -> [InstanceSummary]
    /// Every live instance (start-up reconciliation and audit).
    func all() throws -> [InstanceRecord]
    /// Ids of live instances of `host` (nil: of no host) whose server should be up: it is ACTIVE, and the instance is not
    /// being deleted.
    func standing(host: String?) throws -> [String]
    /// Sets the task when the row's task is one of `expected` (any when nil); `.conflict` otherwise.
    func setTask(_ id: String, to task: InstanceTask, expecting expected: [InstanceTask]?, now: Timestamp) throws
    /// Writes the row's own columns (name to plugins, neither service status nor TLS mode) when `version` is still what was read.
    ///
    /// - Returns: The record as it is now, with its new version.
    /// - Throws: `.conflict` when the row changed since it was read; `.notFound`.
    func save(_ record: InstanceRecord, now: Timestamp) throws -> InstanceRecord
    func setName(_ id: String, to name: String, now: Timestamp) throws
    /// Writes what the instance's guest told of TLS, whatever else is being changed. A missing row is none to write to.
    func setTLSMode(_ id: String, to mode: String?) throws
    /// Writes all three; `nil` removes the id or the address.
    func setServer(_ id: String, serverID: String?, status: ServerStatus, address: String?, now: Timestamp) throws
    func setService(_ id: String, to status: ServiceStatus, heartbeat: Timestamp) throws
    /// Many heartbeats at once. Rows that are missing, DELETED or RESTART_REQUIRED stay as they are (state machine §3); a
    /// nil volume keeps the stored one.
    ///
    /// - Returns: The ids of those whose status is another one now, ascending.
    @discardableResult
    func setServices(_ changes: [ServiceReport]) throws -> [String]
    /// Marks the row deleted, task NONE, service DELETED.
    func markDeleted(_ id: String, now: Timestamp) throws
}

extension InstanceRepository {
    /// With members of clusters.
    package func outlines(projectID: String?, after marker: String?, limit: Int) throws -> [InstanceOutline] {
        try outlines(projectID: projectID, after: marker, limit: limit, withMembers: true)
    }

    /// With members of clusters.
    package func page(projectID: String?, after marker: String?, limit: Int) throws -> [InstanceSummary] {
        try page(projectID: projectID, after: marker, limit: limit, withMembers: true)
    }

    /// With members of clusters.
    package func managedPage(
        projectID: String?, isDeleted: Bool?, offset: Int, limit: Int
    ) throws -> [ManagedInstance] {
        try managedPage(projectID: projectID, isDeleted: isDeleted, withMembers: true, offset: offset, limit: limit)
    }
}
