// SPDX-License-Identifier: Apache-2.0

/// How much the local hub holds.
package struct HubLimits: Sendable, Hashable {
    package var connections: Int
    /// Messages that wait in one queue.
    package var messagesPerQueue: Int
    /// Bytes that wait in one queue.
    package var bytesPerQueue: Int
    /// Notifications that wait in one queue before its oldest is dropped.
    package var notificationsPerQueue: Int
    /// Bytes of notifications that wait in one queue before its oldest is dropped.
    package var notificationBytesPerQueue: Int
    /// Bytes in all queues and on their way to consumers.
    package var totalBytes: Int
    /// Deliveries that one consumer may leave unacknowledged.
    package var unacknowledgedMessages: Int
    /// Bytes of deliveries that one consumer may leave unacknowledged; one message may pass it.
    package var unacknowledgedBytes: Int
    /// How long after its start the hub holds messages for queues that nobody declared yet, since the servers of a hub that
    /// was restarted need a moment to come back.
    package var settling: Duration

    package init(
        connections: Int = 512, messagesPerQueue: Int = 10_000, bytesPerQueue: Int = 64 << 20,
        notificationsPerQueue: Int = 1000, notificationBytesPerQueue: Int = 4 << 20, totalBytes: Int = 256 << 20,
        unacknowledgedMessages: Int = 16, unacknowledgedBytes: Int = 4 << 20,
        settling: Duration = .seconds(2)
    ) {
        self.connections = connections
        self.messagesPerQueue = messagesPerQueue
        self.bytesPerQueue = bytesPerQueue
        self.notificationsPerQueue = notificationsPerQueue
        self.notificationBytesPerQueue = notificationBytesPerQueue
        self.totalBytes = totalBytes
        self.unacknowledgedMessages = unacknowledgedMessages
        self.unacknowledgedBytes = unacknowledgedBytes
        self.settling = settling
    }
}
