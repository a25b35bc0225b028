// SPDX-License-Identifier: Apache-2.0

package import Model

/// What a list shows of an instance, and no more: lists are asked for all the time.
package struct InstanceOutline: Sendable, Hashable {
    package var id: String
    package var name: String
    package var flavorID: String
    package var volumeGiB: Int
    package var created: Timestamp
    package var status: InstanceStatus
    /// The instance's own address on the embedded network.
    package var address: String?
    package var region: String?
    /// As in `InstanceRecord`.
    package var access: JSONValue?
    package var datastoreName: String
    package var datastoreVersionName: String
    package var projectID: String
}

extension InstanceSummary {
    package var outline: InstanceOutline {
        InstanceOutline(
            id: instance.id, name: instance.name, flavorID: instance.flavorID, volumeGiB: instance.volumeGiB,
            created: instance.created, status: status, address: instance.address,
            region: instance.region, access: instance.access, datastoreName: datastoreName,
            datastoreVersionName: datastoreVersionName, projectID: instance.projectID
        )
    }
}
