// SPDX-License-Identifier: Apache-2.0

package import Logging
import Messaging
package import StateStore

/// Sends what waits in the outbox, oldest first. One sender at a time: whoever runs it is elected.
package struct OutboxSender: Sendable {
    private static let batch = 100

    private let notifier: Notifier
    private let store: any StateStore
    private let logger: Logger

    package init(notifier: Notifier, store: any StateStore, logger: Logger) {
        self.notifier = notifier
        self.store = store
        self.logger = logger
    }

    /// Sends until nothing waits.
    ///
    /// A notification is removed after the bus has taken it, so a crash in between sends it again, with the same id.
    ///
    /// - Parameter goesOn: Asked before each batch.
    /// - Throws: `MessagingError` while the bus is away, `StateStoreError`; what was sent by then is removed.
    package func sendAll(while goesOn: @Sendable () async -> Bool = { true }) async throws {
        while await goesOn() {
            let entries = try await store.read { try Outbox.oldest(limit: Self.batch, $0) }
            guard !entries.isEmpty else { return }
            var done: [String] = []
            var failure: MessagingError?
            for entry in entries {
                do throws(MessagingError) {
                    try await send(entry)
                    done.append(entry.key)
                } catch {
                    failure = error
                    break
                }
            }
            try await remove(done)
            if let failure {
                try await trim()
                throw failure
            }
        }
    }

    /// Also by a sender that is being stopped: what is sent need not be sent again.
    private func remove(_ keys: [String]) async throws {
        guard !keys.isEmpty else { return }
        try await Task { try await store.write(.relaxed) { try Outbox.remove(keys, $0) } }.value
    }

    /// What can never be sent counts as done.
    private func send(_ entry: Outbox.Entry) async throws(MessagingError) {
        do throws(MessagingError) {
            guard let message = entry.message else { throw MessagingError(.badMessage, "it cannot be read") }
            try await notifier.send(message)
        } catch {
            guard error.code == .badMessage else { throw error }
            NotificationMeters.dropped(1)
            logger.error("a notification could not be sent", metadata: ["error.message": "\(error.message)"])
        }
    }

    private func trim() async throws {
        let limit = notifier.configuration.outboxLimit
        let dropped = try await store.write(.relaxed) { try Outbox.trim(to: limit, $0) }
        guard dropped > 0 else { return }
        NotificationMeters.dropped(dropped)
        logger.warning("notifications were dropped: too many wait for the bus", metadata: ["count": "\(dropped)"])
    }
}
