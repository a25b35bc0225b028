// SPDX-License-Identifier: Apache-2.0

/// When a message of a guest was sent, by the guest's clock.
package struct LastSeenMark: Sendable, Hashable {
    package var instanceID: String
    /// The message's method, e.g. `heartbeat`.
    package var method: String
    /// Seconds since 1970.
    package var sent: Double

    package init(instanceID: String, method: String, sent: Double) {
        self.instanceID = instanceID
        self.method = method
        self.sent = sent
    }
}
