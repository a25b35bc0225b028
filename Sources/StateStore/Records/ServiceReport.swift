// SPDX-License-Identifier: Apache-2.0

package import Model

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
