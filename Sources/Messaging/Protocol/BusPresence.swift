// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// A bus end that knows whether the bus is there.
package protocol BusPresence: Sendable {
    /// Whether it is connected now. What is sent while it is not waits for the connection.
    var isConnected: Bool { get }
}

extension LocalHubBus: BusPresence {
    package var isConnected: Bool { state.withLock { $0.link != nil } }
}
