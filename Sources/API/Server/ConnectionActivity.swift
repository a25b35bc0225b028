// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// Whether a connection has requests that are not answered yet, and since when it has none; asked from any thread.
final class ConnectionActivity: Sendable {
    private struct State {
        var requests = 0
        var since = ContinuousClock.now
    }

    private let state = Mutex(State())

    /// When the last answer ended, or the connection began; nil while there are requests to answer.
    var idleSince: ContinuousClock.Instant? { state.withLock { $0.requests > 0 ? nil : $0.since } }

    var isIdle: Bool { idleSince != nil }

    /// A request's head was read.
    func began() { state.withLock { $0.requests += 1 } }

    /// An answer was written, also to what was no request.
    func ended() {
        state.withLock { state in
            state.requests = max(0, state.requests - 1)
            state.since = .now
        }
    }
}
