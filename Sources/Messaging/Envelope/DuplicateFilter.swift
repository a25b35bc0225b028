// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// Remembers the last unique ids that a listener has seen.
package final class DuplicateFilter: Sendable {
    /// As many as the rabbit driver of oslo.messaging remembers.
    package static let capacity = 16

    private struct State {
        var seen: [String] = []
        var next = 0
    }
    private let state = Mutex(State())

    package init() {}

    /// Whether `id` was not among the last ones; it is from now on.
    package func admits(_ id: String) -> Bool {
        state.withLock { state in
            if state.seen.contains(id) { return false }
            if state.seen.count < Self.capacity {
                state.seen.append(id)
            } else {
                state.seen[state.next] = id
                state.next = (state.next + 1) % Self.capacity
            }
            return true
        }
    }
}
