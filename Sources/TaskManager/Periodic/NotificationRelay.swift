// SPDX-License-Identifier: Apache-2.0

import Logging
import Model
import Notifications
import StateStore

/// Sends the notifications that wait in the state store, everybody's, as long as it runs.
struct NotificationRelay: Sendable {
    /// How often the state store is looked at for what other processes left.
    private static let interval = Duration.seconds(1)

    let services: FlowServices
    let logger: Logger

    func run() async {
        let notifier = services.notifier
        let sender = OutboxSender(notifier: notifier, store: services.store, logger: logger)
        var failures = 0
        while !Task.isCancelled {
            let seen = notifier.commitCount
            do {
                try await sender.sendAll { !Task.isCancelled }
                if failures > 0 { logger.notice("notifications are being sent again") }
                failures = 0
                await wait(past: seen)
            } catch {
                guard !Task.isCancelled else { return }
                failures += 1
                if failures == 1 {
                    logger.warning("notifications cannot be sent now; they wait", metadata: ["error": "\(error)"])
                }
                try? await Task.sleep(for: .milliseconds(min(2000, 100 << min(failures, 5))))
            }
        }
    }

    /// Until this process has left something, or others may have.
    private func wait(past seen: Int) async {
        let end = ContinuousClock.now + Self.interval
        while ContinuousClock.now < end, services.notifier.commitCount == seen {
            guard (try? await Task.sleep(for: .milliseconds(200))) != nil else { return }
        }
    }
}
