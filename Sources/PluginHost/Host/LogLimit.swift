// SPDX-License-Identifier: Apache-2.0

import Logging
import Synchronization

/// How many lines one plugin may log; what is dropped is counted, and said once a second.
final class LogLimit: Sendable {
    static let linesPerSecond = 100
    static let burst = 200

    private let limit = RateLimit(perSecond: linesPerSecond, burst: burst)
    private let dropped = Mutex(0)
    private let logger: Logger

    init(logger: Logger) { self.logger = logger }

    /// Whether the next line may pass.
    func take() -> Bool {
        if limit.take() { return true }
        let isFirst = dropped.withLock { dropped in
            dropped += 1
            return dropped == 1
        }
        if isFirst { _ = Watchdog.shared.schedule(at: .now + .seconds(1)) { [self] in say() } }
        return false
    }

    private func say() {
        let count = dropped.withLock { dropped in
            defer { dropped = 0 }
            return dropped
        }
        logger.warning("plugin logs too much: lines were dropped", metadata: ["plugin.dropped_lines": "\(count)"])
    }
}
