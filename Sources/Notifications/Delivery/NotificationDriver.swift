// SPDX-License-Identifier: Apache-2.0

import Logging
package import Messaging
import Model

/// Where notifications go.
package protocol NotificationDriver: Sendable {
    /// Returns once the notification is out of this process' hands.
    ///
    /// - Throws: `badMessage` for one that can never be sent; anything else may pass.
    func send(_ message: NotificationMessage) async throws(MessagingError)
}

/// One line a notification in the process' log.
struct LogDriver: NotificationDriver {
    let logger: Logger

    func send(_ message: NotificationMessage) async throws(MessagingError) {
        logger.notice(
            "notification",
            metadata: [
                "request.id": "\(message.context.requestID)", "event.type": "\(message.eventType)",
                "notification": "\(JSONValue.object(message.members).text)",
            ]
        )
    }
}

/// Publishes to every topic; one that fails is published to all of them again.
struct MessagingDriver: NotificationDriver {
    let bus: any MessageBus
    let topics: [String]

    func send(_ message: NotificationMessage) async throws(MessagingError) {
        for topic in topics {
            try await bus.notify(topic, priority: NotificationMessage.priority, message: message.members)
        }
    }
}
