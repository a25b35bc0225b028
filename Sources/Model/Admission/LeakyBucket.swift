// SPDX-License-Identifier: Apache-2.0

/// Counts what comes in and lets it leak out evenly: as many as its size at once, then one whenever one has leaked.
///
/// Source: REST contract §1.8.
package struct LeakyBucket: Sendable, Hashable {
    /// What has not leaked yet at `updated`.
    package var level: Double
    package var updated: Timestamp

    package init(level: Double = 0, updated: Timestamp) {
        self.level = level
        self.updated = updated
    }

    /// The level at `now`, when `limit` leak a minute. Time never runs backwards here.
    package func level(at now: Timestamp, limit: Int) -> Double {
        max(0, level - max(0, (now - updated).inSeconds) * Double(limit) / 60)
    }

    /// Adds `count` that came at `moment`. What is told late leaks later than it could have, never earlier.
    package mutating func add(_ count: Int = 1, at moment: Timestamp, limit: Int) {
        level = level(at: moment, limit: limit) + Double(count)
        updated = max(updated, moment)
    }

    /// How many more fit beside `held` others.
    package func room(at now: Timestamp, limit: Int, held: Int = 0) -> Int {
        // What a request's own share of rounding takes away is given back.
        max(0, Int((Double(limit - held) - level(at: now, limit: limit) + 1e-6).rounded(.down)))
    }

    /// How long until one more fits.
    package func wait(at now: Timestamp, limit: Int, held: Int = 0) -> Duration {
        let excess = level(at: now, limit: limit) + Double(held + 1 - limit)
        guard excess > 1e-6 else { return .zero }
        return .microseconds(Int64((excess * 60_000_000 / Double(limit)).rounded(.up)))
    }
}
