// SPDX-License-Identifier: Apache-2.0

import Model

/// Slows down guessing: after three wrong passwords in a row a user waits one second, then two, four, at most eight.
///
/// A minute without a wrong password forgives. Only users that exist have an entry.
struct LoginThrottle: Sendable {
    static let freeAttempts = 3
    static let longest = Duration.seconds(8)
    static let forgiveness = Duration.seconds(60)

    private struct Entry: Sendable {
        var failures: Int
        var last: Timestamp
        var until: Timestamp
    }

    private var entries: [String: Entry] = [:]

    /// How long the user has to wait; zero when it may try.
    func wait(userID: String, now: Timestamp) -> Duration {
        guard let entry = entries[userID] else { return .zero }
        let wait = entry.until - now
        // A clock that was set back must not lock anybody out.
        return wait > Self.longest ? .zero : max(.zero, wait)
    }

    mutating func failed(userID: String, now: Timestamp) {
        let old = entries[userID].flatMap { now - $0.last < Self.forgiveness ? $0 : nil }
        let failures = (old?.failures ?? 0) + 1
        var delay = Duration.zero
        if failures >= Self.freeAttempts {
            delay = min(Self.longest, .seconds(1 << min(failures - Self.freeAttempts, 8)))
        }
        entries[userID] = Entry(failures: failures, last: now, until: now + delay)
    }

    mutating func succeeded(userID: String) { entries[userID] = nil }
}
