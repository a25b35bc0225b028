// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// Remembers the last unique ids that a listener has seen.
package final class DuplicateFilter: Sendable {
    /// As many as the rabbit driver of oslo.messaging remembers.
    package static let usualCapacity = 16

    private struct State {
        var seen: Set<String> = []
        var order: [String] = []
        var next = 0
    }
    private let capacity: Int
    private let state = Mutex(State())

    package init(capacity: Int = DuplicateFilter.usualCapacity) { self.capacity = capacity }

    /// Whether `id` was not among the last ones; it is from now on.
    package func admits(_ id: String) -> Bool {
        state.withLock { state in
            guard state.seen.insert(id).inserted else { return false }
            if state.order.count < capacity {
                state.order.append(id)
            } else {
                state.seen.remove(state.order[state.next])
                state.order[state.next] = id
                state.next = (state.next + 1) % capacity
            }
            return true
        }
    }
}
