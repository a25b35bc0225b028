// SPDX-License-Identifier: Apache-2.0

import Logging
import Messaging
import Metrics
import Synchronization

/// Notifications on their way to the driver, in order; bounded, and no caller ever waits for it.
final class NotificationBuffer: Sendable {
    private struct State {
        var waiting: [NotificationMessage] = []
        var isDraining = false
        /// Lost since the last warning's end.
        var dropped = 0
    }

    private let driver: any NotificationDriver
    private let limit: Int
    private let logger: Logger
    private let state = Mutex(State())

    init(driver: any NotificationDriver, limit: Int, logger: Logger) {
        self.driver = driver
        self.limit = limit
        self.logger = logger
    }

    /// Takes the notification, or drops and counts it when too many wait.
    func add(_ message: NotificationMessage) {
        enum Outcome { case taken, begins, dropped(first: Bool) }
        let outcome = state.withLock { state -> Outcome in
            guard state.waiting.count < limit else {
                state.dropped += 1
                return .dropped(first: state.dropped == 1)
            }
            state.waiting.append(message)
            guard !state.isDraining else { return .taken }
            state.isDraining = true
            return .begins
        }
        switch outcome {
        case .taken: break
        // Nobody waits for it, and it ends with the last notification.
        case .begins: Task { await drain() }
        case .dropped(let isFirst):
            NotificationMeters.dropped(1)
            guard isFirst else { return }
            logger.warning("notifications are being dropped: too many wait", metadata: ["limit": "\(limit)"])
        }
    }

    /// Waits until everything is sent, at most for `limit`.
    func finish(within limit: Duration) async {
        let end = ContinuousClock.now + limit
        while ContinuousClock.now < end, state.withLock({ $0.isDraining }) {
            guard (try? await Task.sleep(for: .milliseconds(10))) != nil else { return }
        }
    }

    private func drain() async {
        var failures = 0
        while let message = next() {
            do throws(MessagingError) {
                try await driver.send(message)
                failures = 0
                remove()
            } catch {
                guard error.code != .badMessage else {
                    NotificationMeters.dropped(1)
                    logger.error(
                        "a notification could not be sent",
                        metadata: ["event.type": "\(message.eventType)", "error.message": "\(error.message)"])
                    remove()
                    continue
                }
                failures += 1
                try? await Task.sleep(for: .milliseconds(min(5000, 100 << min(failures, 6))))
            }
        }
    }

    private func next() -> NotificationMessage? {
        state.withLock { state in
            if state.waiting.isEmpty { state.isDraining = false }
            return state.waiting.first
        }
    }

    private func remove() {
        let dropped = state.withLock { state -> Int in
            state.waiting.removeFirst()
            defer { state.dropped = 0 }
            return state.dropped
        }
        guard dropped > 0 else { return }
        logger.warning("notifications were dropped", metadata: ["count": "\(dropped)"])
    }
}

/// What is counted.
enum NotificationMeters {
    static func dropped(_ count: Int) {
        Counter(label: "trove_notifications_dropped_total").increment(by: Int64(count))
    }
}
