// SPDX-License-Identifier: Apache-2.0

import Model

/// A notification inside its envelope, and the queue that it waits in.
///
/// Shape: whatever its sender says, and `_unique_id`. Source: oslo.messaging, `messagingv2` driver.
enum NotificationMessage {
    static func body(_ message: [String: JSONValue], uniqueID: String) -> [UInt8] {
        Envelope.close(message.merging(["_unique_id": .string(uniqueID)]) { own, _ in own })
    }

    /// The queue, and the routing key, of a topic's notifications of one priority.
    static func queue(_ topic: String, _ priority: String) -> String { "\(topic).\(priority.lowercased())" }
}
