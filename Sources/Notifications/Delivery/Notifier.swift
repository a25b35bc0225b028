// SPDX-License-Identifier: Apache-2.0

package import Logging
package import Messaging
package import Model
package import StateStore
import Synchronization

/// Tells the outside what happens: makes notifications and hands them on. Nothing here fails or delays an operation.
///
/// What belongs to a transaction is told in two steps, so that it is told exactly when that commits:
/// ```swift
/// try await store.write(.durable) { transaction in
///     …
///     try notifier.record(messages, transaction)
/// }
/// notifier.committed(messages)
/// ```
/// Everything else is told by `emit`.
package final class Notifier: Sendable {
    /// Tells nothing.
    package static let off = Notifier()

    package let configuration: NotificationConfiguration
    let random: any RandomSource
    private let clock: any WallClock
    private let driver: (any NotificationDriver)?
    private let buffer: NotificationBuffer?
    private let usesOutbox: Bool
    /// Grows with each commit that left something in the outbox.
    private let commits = Mutex(0)

    private init() {
        configuration = NotificationConfiguration()
        (clock, random) = (SystemWallClock(), SystemRandomSource())
        (driver, buffer, usesOutbox) = (nil, nil, false)
    }

    /// - Parameters:
    ///   - driver: Where notifications go.
    ///   - usesOutbox: Whether what belongs to a transaction waits in the state store until an `OutboxSender` has sent it.
    package init(
        _ configuration: NotificationConfiguration, driver: any NotificationDriver, usesOutbox: Bool, logger: Logger,
        clock: any WallClock = SystemWallClock(), random: any RandomSource = SystemRandomSource()
    ) {
        self.configuration = configuration
        self.driver = driver
        self.usesOutbox = usesOutbox
        self.clock = clock
        self.random = random
        buffer = NotificationBuffer(driver: driver, limit: configuration.bufferLimit, logger: logger)
    }

    /// The notifier that `configuration` asks for.
    ///
    /// - Parameter bus: Used by the driver `messaging` alone.
    package static func make(
        _ configuration: NotificationConfiguration, bus: any MessageBus, logger: Logger
    ) -> Notifier {
        switch configuration.driver {
        case .off: .off
        case .log:
            Notifier(configuration, driver: LogDriver(logger: logger), usesOutbox: false, logger: logger)
        case .messaging:
            Notifier(
                configuration, driver: MessagingDriver(bus: bus, topics: configuration.topics), usesOutbox: true,
                logger: logger)
        }
    }

    /// Whether anything is told at all; false means that nothing has to be made.
    package var isOn: Bool { driver != nil }

    /// Whether an `OutboxSender` has work.
    package var hasOutbox: Bool { usesOutbox }

    // MARK: Telling

    /// Writes the notifications beside what they tell about; they are sent after the commit, whoever crashes meanwhile.
    package func record(_ messages: [NotificationMessage], _ transaction: any StateTransaction) throws {
        if usesOutbox { try Outbox.add(messages, transaction) }
    }

    /// Says that the transaction of `record` has committed.
    package func committed(_ messages: [NotificationMessage]) {
        guard !messages.isEmpty else { return }
        if usesOutbox {
            commits.withLock { $0 += 1 }
        } else {
            for message in messages { emit(message) }
        }
    }

    /// Sends soon, in the order of the calls; lost when this process ends before, or when too many wait.
    package func emit(_ message: NotificationMessage) { buffer?.add(message) }

    /// Sends now, and waits for it.
    package func send(_ message: NotificationMessage) async throws(MessagingError) { try await driver?.send(message) }

    /// Waits until what `emit` took is sent, at most for `limit`.
    package func finish(within limit: Duration) async { await buffer?.finish(within: limit) }

    /// How often this process has left something in the outbox; changes tell a sender to look at once.
    package var commitCount: Int { commits.withLock { $0 } }

    // MARK: Making

    func make(
        _ eventType: String, publisherID: String, _ payload: [String: JSONValue], context: RequestContext
    ) -> NotificationMessage {
        NotificationMessage(
            id: random.uuid(), publisherID: publisherID, eventType: eventType, payload: payload, timestamp: clock.now,
            context: context
        )
    }
}
