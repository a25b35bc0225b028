// SPDX-License-Identifier: Apache-2.0

/// Knows which claims nobody has renewed for how long, by a clock that nobody can set.
///
/// A claim is a value that changes with every renewal. Whoever renews one stops when a lease has passed since it began its
/// last renewal, which was before anybody could see the result: so a claim that was seen unchanged for a whole lease
/// belongs to nobody.
package struct RenewalWatch<Claim: Hashable & Sendable>: Sendable {
    private var seen: [Claim: ContinuousClock.Instant] = [:]

    package init() {}

    /// Takes note of every claim that is held now; what is not among them is forgotten.
    package mutating func observe(_ claims: [Claim], at instant: ContinuousClock.Instant) {
        var next: [Claim: ContinuousClock.Instant] = [:]
        for claim in claims { next[claim] = seen[claim] ?? instant }
        seen = next
    }

    /// Claims that were there unchanged at every look for `lease` or longer.
    package func unrenewed(for lease: Duration, at instant: ContinuousClock.Instant) -> [Claim] {
        seen.filter { $0.value.duration(to: instant) >= lease }.map(\.key)
    }
}
