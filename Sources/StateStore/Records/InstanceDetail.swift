// SPDX-License-Identifier: Apache-2.0

package import Model

/// What a list in detail shows of an instance beside its outline, and no more.
package struct InstanceDetail: Sendable, Hashable {
    package var outline: InstanceOutline
    package var datastoreVersionNumber: String
    package var updated: Timestamp
    package var fault: FaultRecord?
    package var configuration: ConfigurationReference?
    package var membership: ClusterMembership?
    package var serverID: String?
    /// Whether its guest's messages are sealed with a key of its own.
    package var isSealed: Bool

    /// When the guest was last heard of.
    package var serviceUpdated: Timestamp { outline.status.heartbeat }
}

extension InstanceSummary {
    package var detail: InstanceDetail {
        InstanceDetail(
            outline: outline, datastoreVersionNumber: datastoreVersionNumber, updated: instance.updated, fault: fault,
            configuration: configuration, membership: instance.membership, serverID: instance.serverID,
            isSealed: instance.encryptedKey != nil)
    }
}
