// SPDX-License-Identifier: Apache-2.0

package import Model

/// One row of `clusters`.
package struct ClusterRecord: Sendable, Hashable {
    package var id: String
    package var name: String
    package var projectID: String
    package var datastoreVersionID: String
    package var task: ClusterTask
    /// Its configuration group.
    package var configurationID: String?
    package var created: Timestamp
    package var updated: Timestamp
    package var deleted: Timestamp?
    /// From the datastore's rows: its name and the version's.
    package var datastoreName: String = ""
    package var datastoreVersionName: String = ""

    package init(
        id: String, name: String, projectID: String, datastoreVersionID: String, task: ClusterTask = .none,
        configurationID: String? = nil, created: Timestamp
    ) {
        self.id = id
        self.name = name
        self.projectID = projectID
        self.datastoreVersionID = datastoreVersionID
        self.task = task
        self.configurationID = configurationID
        self.created = created
        updated = created
    }
}

/// What a list shows of a cluster's member.
package struct ClusterMember: Sendable, Hashable {
    package var clusterID: String
    package var id: String
    package var name: String
    package var type: String
    package var shardID: String?
}

/// Which cluster an instance is in.
package struct ClusterMembership: Sendable, Hashable {
    package var clusterID: String
    package var shardID: String?
    /// `member` unless the engine tells its members apart.
    package var type: String

    package init(clusterID: String, shardID: String? = nil, type: String = "member") {
        self.clusterID = clusterID
        self.shardID = shardID
        self.type = type
    }
}
