// SPDX-License-Identifier: Apache-2.0

import Logging
import Model
import StateStore
import Synchronization

/// How often a project may ask, by verb, for all API processes together. Source: REST contract §1.8.
///
/// Each process leases a few requests at a time from the state store (`RateBucket`), so most requests cost no statement. While the
/// state store is away, each process lets its own share through: it would be a second outage to refuse what could be answered.
final class RateLimiter: Sendable {
    private struct Key: Hashable, Comparable {
        let projectID: String
        let verb: String

        /// Every process locks buckets in this order.
        static func < (left: Key, right: Key) -> Bool {
            (left.projectID, left.verb) < (right.projectID, right.verb)
        }
    }

    private struct Entry {
        var share: RateShare
        /// Those who wait for the trade that is under way; nil without one.
        var waiting: [AsyncStream<Void>.Continuation]?
    }

    private enum Step {
        case decided(RateShare.Verdict)
        case wait(AsyncStream<Void>, leads: Bool)
    }

    /// Requests a minute by verb.
    let limits: [String: Int]
    /// This incarnation of this process.
    private let owner: String
    private let store: any StateStore
    private let clock: any WallClock
    /// How long a request waits for one answer of the state store.
    private let patience: Duration
    private let logger: Logger
    private let entries = Mutex<[Key: Entry]>([:])

    private static let maximumEntries = 10_000
    private static let keepInterval = Duration.seconds(5)
    private static let endPatience = Duration.seconds(2)
    /// Buckets a transaction.
    private static let tradeSize = 50

    init(
        limits: [String: Int], owner: String, store: any StateStore, clock: any WallClock,
        patience: Duration = .milliseconds(500), logger: Logger
    ) {
        self.limits = limits
        self.owner = owner
        self.store = store
        self.clock = clock
        self.patience = patience
        self.logger = logger
    }

    /// Counts one request; the fault when it is one too many.
    func admit(_ verb: String, projectID: String) async throws(APIFault) {
        guard let limit = limits[verb], limit > 0 else { return }
        let wait = await wait(Key(projectID: projectID, verb: verb), limit)
        guard wait > .zero else { return }
        var fault = APIFault(.overLimit, "This request was rate-limited.")
        let seconds = max(1, Int(wait.inSeconds.rounded(.up)))
        fault.retryAfter = seconds
        fault.details = [
            "details": .string("Only \(limit) \(verb) request(s) can be made to * every minute."),
            "retryAfter": .string(String(seconds)),
        ]
        throw fault
    }

    /// Zero for a request that was let through, else how long until one is.
    private func wait(_ key: Key, _ limit: Int) async -> Duration {
        // Each round ends with what the state store said, which lets some through or refuses all.
        while true {
            switch step(key, limit) {
            case .decided(.admitted): return .zero
            case .decided(.refused(let wait)): return wait
            case .decided(.unknown): return alone(key, limit)
            case .wait(let stream, let leads):
                if leads { Task { await trade([key], wantsMore: true) } }
                guard await Self.ended(stream, before: .now + patience) else { return alone(key, limit) }
            }
        }
    }

    private func step(_ key: Key, _ limit: Int) -> Step {
        let now = clock.now
        return entries.withLock { entries in
            if entries.count >= Self.maximumEntries { Self.forget(&entries, now) }
            var entry = entries[key] ?? Entry(share: RateShare(limit: limit, now: now))
            defer { entries[key] = entry }
            let verdict = entry.share.admit(now)
            guard verdict == .unknown else { return .decided(verdict) }
            let (stream, continuation) = AsyncStream<Void>.makeStream()
            let leads = entry.waiting == nil
            if leads { entry.share.beginTrade() }
            entry.waiting = (entry.waiting ?? []) + [continuation]
            return .wait(stream, leads: leads)
        }
    }

    /// Decides without the state store, which does not answer in time.
    private func alone(_ key: Key, _ limit: Int) -> Duration {
        let now = clock.now
        let verdict = entries.withLock { entries in
            var entry = entries[key] ?? Entry(share: RateShare(limit: limit, now: now))
            defer { entries[key] = entry }
            entry.share.failTrade(now)
            return entry.share.admitAlone(now)
        }
        if case .refused(let wait) = verdict { return wait }
        return .zero
    }

    /// Whether the stream ended in time.
    private static func ended(_ stream: AsyncStream<Void>, before deadline: ContinuousClock.Instant) async -> Bool {
        await withTaskGroup(of: Bool.self) { group in
            group.addTask {
                for await _ in stream {}
                return !Task.isCancelled
            }
            group.addTask {
                try? await Task.sleep(until: deadline)
                return false
            }
            let isEnded = await group.next() ?? false
            group.cancelAll()
            return isEnded
        }
    }

    private static func forget(_ entries: inout [Key: Entry], _ now: Timestamp) {
        entries = entries.filter { _, entry in entry.waiting != nil || !entry.share.isForgettable(now) }
    }

    // MARK: - The state store

    /// Gives back what was leased and not used in time, until the task is cancelled; then everything.
    func keep() async {
        while (try? await Task.sleep(for: Self.keepInterval)) != nil { await giveBack(everything: false) }
        let (stream, continuation) = AsyncStream<Void>.makeStream()
        Task {
            await giveBack(everything: true)
            continuation.finish()
        }
        // This task is cancelled, that one is not. A state store that is away does not hold up the end.
        _ = await Task { await Self.ended(stream, before: .now + Self.endPatience) }.value
    }

    /// - Parameter everything: Also leases that are good for longer.
    func giveBack(everything: Bool) async {
        let now = clock.now
        let due = entries.withLock { entries -> [Key] in
            Self.forget(&entries, now)
            let due = entries.filter { _, entry in
                entry.waiting == nil
                    && (entry.share.isDue(now) || everything && entry.share.expires != nil)
            }.keys.sorted()
            for key in due {
                entries[key]?.waiting = []
                entries[key]?.share.beginTrade()
            }
            return due
        }
        for start in stride(from: 0, to: due.count, by: Self.tradeSize) {
            await trade(Array(due[start..<min(start + Self.tradeSize, due.count)]), wantsMore: false)
        }
    }

    /// Reports what was used, and takes a new lease if more is wanted. Ends the waiting of all who wait.
    ///
    /// - Parameter keys: In ascending order; a trade of each is begun.
    private func trade(_ keys: [Key], wantsMore: Bool) async {
        let shares = entries.withLock { entries in keys.compactMap { key in entries[key].map { (key, $0.share) } } }
        let (owner, clock) = (owner, clock)
        do {
            let outcomes = try await store.write(.relaxed) { transaction in
                try shares.map { key, share in
                    try Self.trade(key, share, owner: owner, wantsMore: wantsMore, clock: clock, transaction)
                }
            }
            end(zip(keys, outcomes).map { ($0, $1) })
        } catch {
            logger.warning("rates are limited by this process alone", metadata: ["error": .string("\(error)")])
            end(keys.map { ($0, nil) })
        }
    }

    private static func trade(
        _ key: Key, _ share: RateShare, owner: String, wantsMore: Bool, clock: any WallClock,
        _ transaction: any StateTransaction
    ) throws -> RateOutcome {
        let (now, began) = (try transaction.now, clock.now)
        let limit = share.limit
        var bucket = try transaction.rateBuckets.lock(projectID: key.projectID, verb: key.verb)
        bucket.settle(share.report(owner: owner, offset: now - began), now: now, limit: limit)
        var outcome = RateOutcome(expires: now + RateShare.validity + RateShare.grace, began: began)
        outcome.reported = share.unleased.count
        if wantsMore {
            outcome.leased = bucket.lease(
                RateShare.batch(limit), to: owner, until: outcome.expires, now: now, limit: limit)
            outcome.isRefused = outcome.leased == 0
            outcome.wait = bucket.bucket.wait(at: now, limit: limit, held: bucket.held)
        }
        outcome.holders = bucket.leases.count + (outcome.leased > 0 ? 0 : 1)
        try transaction.rateBuckets.save(bucket, projectID: key.projectID, verb: key.verb)
        return outcome
    }

    private func end(_ outcomes: [(Key, RateOutcome?)]) {
        let now = clock.now
        let waiting = entries.withLock { entries in
            outcomes.flatMap { key, outcome -> [AsyncStream<Void>.Continuation] in
                guard var entry = entries[key] else { return [] }
                if let outcome { entry.share.endTrade(outcome, now: now) } else { entry.share.failTrade(now) }
                let waiting = entry.waiting ?? []
                entry.waiting = nil
                entries[key] = entry
                return waiting
            }
        }
        for continuation in waiting { continuation.finish() }
    }

    // MARK: - What is told

    /// How many requests of `verb` the project may make now, and how long until there is one. What other processes have leased
    /// counts as used.
    ///
    /// - Parameters:
    ///   - stored: The project's buckets by verb.
    ///   - time: By the database's clock.
    func remaining(
        _ verb: String, projectID: String, stored: [String: RateBucket], time: Timestamp
    ) -> (requests: Int, wait: Duration) {
        guard let limit = limits[verb] else { return (0, .zero) }
        var bucket = stored[verb] ?? RateBucket(bucket: LeakyBucket(updated: time))
        let share = entries.withLock { $0[Key(projectID: projectID, verb: verb)]?.share }
        if let share { bucket.settle(share.report(owner: owner, offset: time - clock.now), now: time, limit: limit) }
        let held = bucket.held
        return (
            bucket.bucket.room(at: time, limit: limit, held: held),
            bucket.bucket.wait(at: time, limit: limit, held: held)
        )
    }
}
