// SPDX-License-Identifier: Apache-2.0

/// The actions on an instance that the control plane has itself; no plugin's action may have one of these names.
///
/// Source: REST contract §3.5.
package enum CoreAction: String, Sendable, CaseIterable {
    case restart
    case resize
    case resetStatus = "reset_status"
    case promoteToReplicaSource = "promote_to_replica_source"
    case ejectReplicaSource = "eject_replica_source"
    case resetPassword = "reset_password"
}
