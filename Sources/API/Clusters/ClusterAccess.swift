// SPDX-License-Identifier: Apache-2.0

import Model
import StateStore

/// Loads clusters as one caller may see them.
extension APICall {
    /// The live cluster, or 404 with one text for a missing one and for another project's.
    func cluster(_ id: String, rule: String, _ transaction: any StateTransaction) throws -> ClusterRecord {
        let cluster = try visibleCluster(id, transaction)
        try require(rule, owner: cluster.projectID)
        return cluster
    }

    /// As `cluster`, before any rule is asked.
    func visibleCluster(_ id: String, _ transaction: any StateTransaction) throws -> ClusterRecord {
        guard let cluster = try transaction.clusters.find(id), cluster.deleted == nil,
            context.isAdmin || cluster.projectID == context.projectID
        else { throw APIFault(.clusterNotFound, "Cluster '\(id)' cannot be found.") }
        return cluster
    }

    /// Throws 422 while something else is done to the cluster.
    static func requireIdle(_ cluster: ClusterRecord, allowing allowed: Set<ClusterTask> = []) throws(APIFault) {
        guard cluster.task == .none || allowed.contains(cluster.task) else {
            throw APIFault(
                .unprocessableEntity,
                "This action cannot be performed on the cluster while the current cluster task is '\(cluster.task.name)'."
            )
        }
    }

    /// Throws 501 for a member of a cluster: its cluster is what is worked on. Source: REST contract §3.5, §3.7, §8.
    static func refuseMember(_ summary: InstanceSummary) throws(APIFault) {
        guard summary.instance.membership == nil else {
            throw APIFault(
                .clusterInstanceOperationNotSupported,
                "Operation not supported for instances that are part of a cluster.")
        }
    }
}

extension StateTransaction {
    /// The cluster's live members with all that is known of them, by id.
    func memberSummaries(of clusterID: String) throws -> [InstanceSummary] {
        try clusters.members(of: [clusterID]).compactMap { try instances.summary($0.id) }
    }
}
