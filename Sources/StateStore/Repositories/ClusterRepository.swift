// SPDX-License-Identifier: Apache-2.0

package import Model

/// Clusters, and the live instances that are their members.
package protocol ClusterRepository {
    func insert(_ record: ClusterRecord) throws
    /// The row, live or deleted.
    func find(_ id: String) throws -> ClusterRecord?
    /// One page of a project's live clusters, `id > marker`, ids ascending.
    func page(projectID: String, after marker: String?, limit: Int) throws -> [ClusterRecord]
    /// Of all projects, by id.
    ///
    /// - Parameter isDeleted: nil: live and deleted ones.
    func all(isDeleted: Bool?) throws -> [ClusterRecord]
    /// Live members of the clusters, by id.
    func members(of clusterIDs: [String]) throws -> [ClusterMember]
    func setTask(_ id: String, to task: ClusterTask, now: Timestamp) throws
    func markDeleted(_ id: String, now: Timestamp) throws
    /// Marks clusters that are being deleted and have no live member any more as deleted.
    func finishDeletion(_ id: String, now: Timestamp) throws
}
