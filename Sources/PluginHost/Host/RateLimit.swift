// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// A token bucket: so many a second, and as many at once as `burst`.
final class RateLimit: Sendable {
    private struct State {
        var tokens: Double
        var filled: ContinuousClock.Instant
    }

    private let perSecond: Double
    private let burst: Double
    private let state: Mutex<State>

    init(perSecond: Int, burst: Int, now: ContinuousClock.Instant = .now) {
        self.perSecond = Double(perSecond)
        self.burst = Double(burst)
        state = Mutex(State(tokens: Double(burst), filled: now))
    }

    /// Whether one more is within the limit.
    func take(now: ContinuousClock.Instant = .now) -> Bool {
        state.withLock { state in
            let passed = state.filled.duration(to: now)
            if passed > .zero {
                state.tokens = min(burst, state.tokens + passed / .seconds(1) * perSecond)
                state.filled = now
            }
            guard state.tokens >= 1 else { return false }
            state.tokens -= 1
            return true
        }
    }
}
