// SPDX-License-Identifier: Apache-2.0

package protocol BackupStrategyRepository {
    /// Stores the container of the instance or project, whether there is one already or not.
    func put(_ record: BackupStrategyRecord) throws
    /// What applies to an instance: its own, else its project's.
    func find(projectID: String, instanceID: String) throws -> BackupStrategyRecord?
    /// Of a project, the project's own first; of one instance when it is named.
    func all(projectID: String, instanceID: String?) throws -> [BackupStrategyRecord]
    /// Removes one: the instance's, or without one the project's own.
    func remove(projectID: String, instanceID: String?) throws
}
