// SPDX-License-Identifier: Apache-2.0

/// Which of several hosts a connection is tried on, and when. No I/O, no clock.
///
/// While no host answers, one connection is tried at a time and everybody else is told at once: nobody waits for timeouts in
/// a row, and a server that comes back is found within a second.
struct HostStateMachine {
    enum Action: Equatable {
        /// Try these in order, then tell `succeeded` or `failed`.
        case attempt([Int])
        /// Nothing has answered lately.
        case refuse
    }

    /// The longest pause between two attempts.
    static let longestPause = Duration.seconds(1)
    private static let firstPause = Duration.milliseconds(50)

    private let count: Int
    /// The host that answered last.
    private var preferred = 0
    /// Attempts on all hosts in a row that failed.
    private var failures = 0
    private var isAttempting = false
    private var nextAttempt: ContinuousClock.Instant?

    /// - Parameter count: At least one.
    init(count: Int) { self.count = count }

    /// Somebody needs a connection.
    mutating func begin(at now: ContinuousClock.Instant) -> Action {
        let order = (0..<count).map { (preferred + $0) % count }
        guard failures > 0 else { return .attempt(order) }
        guard !isAttempting, now >= nextAttempt ?? now else { return .refuse }
        isAttempting = true
        return .attempt(order)
    }

    mutating func succeeded(on host: Int) {
        preferred = host
        failures = 0
        isAttempting = false
        nextAttempt = nil
    }

    /// - Parameter jitter: 0…1; processes that lost the same server do not all come back at once.
    mutating func failed(at now: ContinuousClock.Instant, jitter: Double) {
        failures += 1
        isAttempting = false
        let doubled = Self.firstPause * (1 << min(failures - 1, 10))
        let pause = min(doubled, Self.longestPause)
        nextAttempt = now + pause / 2 + pause / 2 * min(max(jitter, 0), 1)
    }

    /// A host does not take transactions although it answers: the others are asked first from now on.
    mutating func disqualify(_ host: Int) {
        if preferred == host { preferred = (host + 1) % count }
    }
}
