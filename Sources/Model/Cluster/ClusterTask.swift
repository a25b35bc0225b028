// SPDX-License-Identifier: Apache-2.0

/// What the control plane is doing to a cluster; the raw value is what `clusters.task_id` holds.
///
/// Source: REST contract §13.
package enum ClusterTask: Int, Sendable, CaseIterable {
    case none = 1
    case building = 2
    case deleting = 3
    case addingShard = 4
    case growing = 5
    case shrinking = 6
    case upgrading = 7
    case restarting = 8
    case updating = 9

    /// The word of the API.
    package var name: String {
        switch self {
        case .none: "NONE"
        case .building: "BUILDING"
        case .deleting: "DELETING"
        case .addingShard: "ADDING_SHARD"
        case .growing: "GROWING_CLUSTER"
        case .shrinking: "SHRINKING_CLUSTER"
        case .upgrading: "UPGRADING_CLUSTER"
        case .restarting: "RESTARTING_CLUSTER"
        case .updating: "UPDATING_CLUSTER"
        }
    }

    /// The sentence of the API.
    package var text: String {
        switch self {
        case .none: "No tasks for the cluster."
        case .building: "Building the initial cluster."
        case .deleting: "Deleting the cluster."
        case .addingShard: "Adding a shard to the cluster."
        case .growing: "Increasing the size of the cluster."
        case .shrinking: "Decreasing the size of the cluster."
        case .upgrading: "Upgrading the cluster to new version."
        case .restarting: "Restarting the cluster."
        case .updating: "Updating the cluster."
        }
    }
}
