// SPDX-License-Identifier: Apache-2.0

package import Model
import Synchronization

/// Wakes flows that wait for a guest's report, without polling.
///
/// A signal is a hint: whoever waits looks at the state store again. One that nobody waits for is dropped, since every
/// wait looks before it sleeps.
package final class ChangeSignal: Sendable {
    private struct Waiter {
        var key: String
        var continuation: CheckedContinuation<Void, Never>
    }

    private struct State {
        var next: UInt64 = 0
        var waiters: [UInt64: Waiter] = [:]
        /// Grows with every signal of a key that is being watched.
        var generations: [String: UInt64] = [:]
        var watchers: [String: Int] = [:]
    }

    private let state = Mutex(State())

    package init() {}

    /// Wakes everyone who waits for `key`.
    package func signal(_ key: String) {
        let woken = state.withLock { state -> [CheckedContinuation<Void, Never>] in
            if state.watchers[key] != nil { state.generations[key, default: 0] += 1 }
            let ids = state.waiters.filter { $0.value.key == key }.map(\.key)
            return ids.compactMap { state.waiters.removeValue(forKey: $0)?.continuation }
        }
        for continuation in woken { continuation.resume() }
    }

    /// Looks with `check` until it returns a value: at once, after each signal for `key`, and every `interval` in case
    /// that a signal was lost.
    ///
    /// - Throws: what `check` throws; `FlowError` (retryable) when `deadline` passes.
    package func wait<Value: Sendable>(
        for key: String,
        deadline: Deadline,
        interval: Duration = .seconds(2),
        check: @Sendable () async throws -> Value?
    ) async throws -> Value {
        state.withLock { $0.watchers[key, default: 0] += 1 }
        defer {
            state.withLock { state in
                let left = (state.watchers[key] ?? 1) - 1
                state.watchers[key] = left > 0 ? left : nil
                if left <= 0 { state.generations[key] = nil }
            }
        }
        while true {
            let seen = state.withLock { $0.generations[key, default: 0] }
            if let value = try await check() { return value }
            try Task.checkCancellation()
            guard !deadline.isPast else { throw FlowError("Timed out.", isRetryable: false) }
            await sleep(key: key, seen: seen, limit: min(interval, deadline.remaining))
        }
    }

    private func sleep(key: String, seen: UInt64, limit: Duration) async {
        let id = state.withLock { state -> UInt64 in
            state.next += 1
            return state.next
        }
        let timer = Task {
            try? await Task.sleep(for: limit)
            self.wake(id)
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let goesOn = state.withLock { state in
                    if Task.isCancelled || state.generations[key, default: 0] != seen { return true }
                    state.waiters[id] = Waiter(key: key, continuation: continuation)
                    return false
                }
                if goesOn { continuation.resume() }
            }
        } onCancel: {
            self.wake(id)
        }
        timer.cancel()
    }

    private func wake(_ id: UInt64) {
        state.withLock { $0.waiters.removeValue(forKey: id)?.continuation }?.resume()
    }
}
