// SPDX-License-Identifier: Apache-2.0

/// Whether Keystone answers, and when it may be asked. No I/O, no clock.
struct KeystoneAvailability: Sendable {
    /// While it does not answer, tokens that are still known ask it this often.
    static let probeInterval = Duration.seconds(1)
    /// The longest that its own `Retry-After` silences this service.
    static let longestPause = Duration.seconds(30)

    /// As what a question goes out: while Keystone is away one at a time does, so that it does not return to a heap of
    /// questions that nobody waits for any more.
    enum Admission: Sendable, Hashable { case normal, trial, refused }

    private(set) var isAway = false
    private var isTrying = false
    private var nextProbe: ContinuousClock.Instant?
    private var pausedUntil: ContinuousClock.Instant?

    /// How much longer Keystone asked to be left alone; nil when it did not.
    func pause(now: ContinuousClock.Instant) -> Duration? {
        guard let pausedUntil, now < pausedUntil else { return nil }
        return pausedUntil - now
    }

    /// Whether a token that is still known is to be held against Keystone, though it is away.
    mutating func admitsProbe(now: ContinuousClock.Instant) -> Bool {
        guard pause(now: now) == nil, !isTrying else { return false }
        if let nextProbe, now < nextProbe { return false }
        nextProbe = now + Self.probeInterval
        return true
    }

    /// Every question begins with this, and ends with `endQuestion`.
    mutating func admitQuestion() -> Admission {
        guard isAway else { return .normal }
        guard !isTrying else { return .refused }
        isTrying = true
        return .trial
    }

    mutating func endQuestion(_ admission: Admission) {
        if admission == .trial { isTrying = false }
    }

    /// - Returns: Whether it was there until now.
    mutating func failed(retryAfter: Duration?, now: ContinuousClock.Instant) -> Bool {
        defer { isAway = true }
        nextProbe = now + Self.probeInterval
        if let retryAfter { pausedUntil = now + min(max(.zero, retryAfter), Self.longestPause) }
        return !isAway
    }

    /// - Returns: Whether it was away until now.
    mutating func answered() -> Bool {
        defer { isAway = false }
        (nextProbe, pausedUntil) = (nil, nil)
        return isAway
    }
}
