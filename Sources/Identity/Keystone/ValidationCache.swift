// SPDX-License-Identifier: Apache-2.0

import Model

/// What Keystone said of tokens, and for how long that counts. No I/O, no clock.
///
/// A good token is fresh for the revocation window, then stale: Keystone is to be asked again, and its old word counts only
/// while it does not answer. It is gone after `cache`, or when the token expires. Tokens that Keystone does not know are
/// remembered apart and shortly, so that nobody can push good ones out by inventing tokens.
struct ValidationCache: Sendable {
    static let goodTokens = 16_384
    static let unknownTokens = 4096
    /// An unknown token that is asked for again and again costs Keystone one question per so long.
    static let unknownSpan = Duration.seconds(10)

    enum Decision: Sendable, Hashable {
        /// Nothing is known.
        case ask
        case fresh(AuthenticatedIdentity)
        case stale(AuthenticatedIdentity)
        case unknown
    }

    private struct Entry: Sendable {
        var identity: AuthenticatedIdentity
        var freshUntil: ContinuousClock.Instant
        var end: ContinuousClock.Instant
    }

    private let span: Duration
    private let window: Duration
    private var good = BoundedCache<TokenKey, Entry>(capacity: Self.goodTokens)
    private var unknown = BoundedCache<TokenKey, ContinuousClock.Instant>(capacity: Self.unknownTokens)

    /// - Parameters:
    ///   - span: How long a word of Keystone counts at most; zero remembers nothing.
    ///   - window: How long it counts without asking again.
    init(span: Duration, window: Duration) {
        self.span = max(.zero, span)
        self.window = max(.zero, window)
    }

    var count: Int { good.count + unknown.count }

    mutating func decide(_ key: TokenKey, now: ContinuousClock.Instant) -> Decision {
        if let entry = good.find(key) {
            if now < entry.freshUntil { return .fresh(entry.identity) }
            if now < entry.end { return .stale(entry.identity) }
            good.remove(key)
        }
        if let end = unknown.find(key) {
            if now < end { return .unknown }
            unknown.remove(key)
        }
        return .ask
    }

    /// Keystone says that the token is good.
    ///
    /// - Parameter lifetime: From now until the token expires by this host's clock; nil where it may have expired. Keystone has
    ///   just called it good, so one that is over says that the clocks differ, and the window alone bounds it.
    mutating func accept(
        _ key: TokenKey, _ identity: AuthenticatedIdentity, lifetime: Duration?, now: ContinuousClock.Instant
    ) {
        var life = span
        if let lifetime { life = min(span, lifetime > .zero ? lifetime : window) }
        unknown.remove(key)
        good.insert(Entry(identity: identity, freshUntil: now + min(window, life), end: now + life), for: key)
    }

    /// Keystone knows no such token, or none that is good any more.
    mutating func refuse(_ key: TokenKey, now: ContinuousClock.Instant) {
        good.remove(key)
        unknown.insert(now + min(span, Self.unknownSpan), for: key)
    }
}
