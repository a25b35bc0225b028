// SPDX-License-Identifier: Apache-2.0

import Glibc

/// A value under a lock that own threads can wait on. Never for Swift's cooperative threads: waiting blocks.
///
/// Unchecked: `mutex` guards `value`, and both live at fixed addresses until deinit.
final class ConditionLock<Value>: @unchecked Sendable {
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private let condition: UnsafeMutablePointer<pthread_cond_t>
    private var value: Value

    init(_ value: sending Value) {
        self.value = value
        mutex = .allocate(capacity: 1)
        condition = .allocate(capacity: 1)
        pthread_mutex_init(mutex, nil)
        var attributes = pthread_condattr_t()
        pthread_condattr_init(&attributes)
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        pthread_cond_init(condition, &attributes)
        pthread_condattr_destroy(&attributes)
    }

    deinit {
        pthread_cond_destroy(condition)
        pthread_mutex_destroy(mutex)
        condition.deallocate()
        mutex.deallocate()
    }

    /// Changes the value and wakes those who wait for it.
    func update<Result>(_ body: (inout Value) throws -> Result) rethrows -> Result {
        pthread_mutex_lock(mutex)
        defer {
            pthread_cond_broadcast(condition)
            pthread_mutex_unlock(mutex)
        }
        return try body(&value)
    }

    /// Runs `body` on the value, again after each change, until it answers or time is up.
    ///
    /// - Returns: What `body` answered; nil once `instant` is past. Without an instant it waits for ever.
    func wait<Result>(until instant: ContinuousClock.Instant?, _ body: (inout Value) -> Result?) -> Result? {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        while true {
            if let result = body(&value) { return result }
            guard let instant else {
                pthread_cond_wait(condition, mutex)
                continue
            }
            let left = ContinuousClock.now.duration(to: instant)
            guard left > .zero else { return nil }
            var limit = Self.monotonic(after: left)
            pthread_cond_timedwait(condition, mutex, &limit)
        }
    }

    private static func monotonic(after duration: Duration) -> timespec {
        var now = timespec()
        clock_gettime(CLOCK_MONOTONIC, &now)
        let parts = min(duration, .seconds(86_400)).components
        let nanoseconds = now.tv_nsec + Int(parts.attoseconds / 1_000_000_000)
        return timespec(
            tv_sec: now.tv_sec + Int(parts.seconds) + nanoseconds / 1_000_000_000,
            tv_nsec: nanoseconds % 1_000_000_000
        )
    }
}
