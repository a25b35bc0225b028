// SPDX-License-Identifier: Apache-2.0

import Model

/// What one API process knows of one project's and verb's rate: its lease, and what it did with it. No input or output.
struct RateShare {
    /// What becomes of a request now.
    enum Verdict: Equatable {
        case admitted
        /// One too many; how long until one more fits.
        case refused(Duration)
        /// Only a new lease can say.
        case unknown
    }

    /// How long a lease is used, and how much longer it is kept for this process by the database's clock.
    static let validity = Duration.seconds(30)
    static let grace = Duration.seconds(10)
    /// A refusal is looked at again after so long, for others may have given back what they had.
    static let longestRefusal = Duration.seconds(1)
    /// So long nobody asks a state store that was away.
    static let outage = Duration.seconds(1)

    let limit: Int
    /// Leased and not yet used.
    private(set) var left = 0
    /// By this process's clock.
    private(set) var validUntil: Timestamp
    /// By the database's clock; nil without a lease.
    private(set) var expires: Timestamp?
    private var used: [Timestamp] = []
    /// Let through without a lease.
    private(set) var unleased: [Timestamp] = []
    /// Who else had a lease when the last one was taken.
    private var peers = 1
    /// All that this process let through.
    private var own: LeakyBucket
    private var refusedUntil: Timestamp?
    private var free: Timestamp?
    private var awayUntil: Timestamp?

    init(limit: Int, now: Timestamp) {
        self.limit = limit
        validUntil = now
        own = LeakyBucket(updated: now)
    }

    /// Requests a lease has at most: few enough that idle processes leave a busy one nearly all, many enough that few requests ask
    /// the state store.
    static func batch(_ limit: Int) -> Int { max(1, min(limit / 20, 1000)) }

    /// Whether there is nothing that would be lost with this.
    func isForgettable(_ now: Timestamp) -> Bool {
        expires == nil && unleased.isEmpty && (refusedUntil ?? now) <= now && (awayUntil ?? now) <= now
            && own.level(at: now, limit: share) == 0
    }

    /// Whether the lease ought to be given back: its time is over.
    func isDue(_ now: Timestamp) -> Bool { (expires != nil || !unleased.isEmpty) && now >= validUntil }

    mutating func admit(_ now: Timestamp) -> Verdict {
        if left > 0, now < validUntil {
            left -= 1
            used.append(now)
            own.add(at: now, limit: share)
            return .admitted
        }
        if let refusedUntil, let free, now < refusedUntil { return .refused(max(free - now, .microseconds(1))) }
        if let awayUntil, now < awayUntil { return admitAlone(now) }
        return .unknown
    }

    /// Admits while the state store is away: so many that all processes together stay near the limit, if as many of them work
    /// as did last. Nobody is refused because a database is away.
    mutating func admitAlone(_ now: Timestamp) -> Verdict {
        let wait = own.wait(at: now, limit: share)
        guard wait == .zero else { return .refused(wait) }
        own.add(at: now, limit: share)
        unleased.append(now)
        // Older ones have leaked.
        if unleased.count > limit { unleased.removeFirst(unleased.count - limit) }
        return .admitted
    }

    private var share: Int { max(1, limit / peers) }

    // MARK: - Leases

    /// Nothing is let through on the lease from here on.
    mutating func beginTrade() { left = 0 }

    /// - Parameter offset: What the database's clock is ahead of this process's.
    func report(owner: String, offset: Duration) -> RateBucket.Report {
        RateBucket.Report(
            owner: owner, lease: expires, used: used.map { $0 + offset }, unleased: unleased.map { $0 + offset })
    }

    /// Takes over what a trade led to.
    mutating func endTrade(_ outcome: RateOutcome, now: Timestamp) {
        used = []
        // Some may have come meanwhile.
        unleased.removeFirst(min(outcome.reported, unleased.count))
        awayUntil = nil
        peers = max(1, outcome.holders)
        left = outcome.leased
        expires = outcome.leased > 0 ? outcome.expires : nil
        validUntil = outcome.began + Self.validity
        guard outcome.isRefused else {
            refusedUntil = nil
            free = nil
            return
        }
        free = now + outcome.wait
        refusedUntil = now + min(outcome.wait, Self.longestRefusal)
    }

    /// The state store did not say, or not in time. What was used is told with the next trade.
    mutating func failTrade(_ now: Timestamp) { awayUntil = now + Self.outage }
}

/// What the state store said to one process.
struct RateOutcome: Sendable {
    var leased = 0
    /// By the database's clock.
    var expires: Timestamp
    /// When it was asked, by the process's clock.
    var began: Timestamp
    /// Something was wanted, and there was no room.
    var isRefused = false
    /// Until there is.
    var wait = Duration.zero
    /// Processes with a lease, this one included.
    var holders = 1
    /// Requests without a lease that were counted.
    var reported = 0
}
