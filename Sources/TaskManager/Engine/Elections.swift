// SPDX-License-Identifier: Apache-2.0

package import Logging
import Model
package import StateStore

/// Takes, keeps and passes on the roles that one process of several has at a time.
///
/// The database's clock alone takes no role from anybody, since clocks step: another's lease is taken over when it was seen
/// unrenewed for its whole length by a clock that does not step, or when its holder is known to have ended. A holder stops
/// its work when the length has passed since it began its last renewal, so two never work at once.
package actor Elections {
    private struct Candidacy {
        var role: LeasedRole
        /// The running work, and until when it may go on.
        var work: Task<Void, Never>?
        var deadline = ContinuousClock.now
        var watchdog: Task<Void, Never>?
        /// Work that was cancelled and may not have ended.
        var ending: Task<Void, Never>?
        var watch = RenewalWatch<LeaseRecord>()
        var holder: LeaseRecord?
    }

    private struct Bid: Sendable {
        var name: String
        var lease: Duration
        var dead: [LeaseRecord]
    }

    /// How often a process that has not got a role looks whether it can.
    private static let interval = Duration.seconds(1)

    private let store: any StateStore
    private let owner: String
    private let hasEnded: @Sendable (String) -> Bool
    private let logger: Logger
    private var candidacies: [Candidacy] = []
    private var storeIsAway = false

    /// - Parameters:
    ///   - store: Where the leases are.
    ///   - owner: This process, unlike any other; `<name>/<incarnation>`.
    ///   - hasEnded: Whether the owner of a lease is known to be no more.
    ///   - logger: Told of every role that comes or goes.
    package init(
        store: any StateStore, owner: String, hasEnded: @Sendable @escaping (String) -> Bool, logger: Logger
    ) {
        self.store = store
        self.owner = owner
        self.hasEnded = hasEnded
        self.logger = logger
    }

    /// Stands for `roles` until the task is cancelled; then ends what runs and gives the leases back.
    package func run(_ roles: [LeasedRole]) async {
        candidacies = roles.map { Candidacy(role: $0) }
        while !Task.isCancelled {
            await bid()
            try? await Task.sleep(for: Self.interval)
        }
        await resign()
    }

    // MARK: Bidding

    private func bid() async {
        let began = ContinuousClock.now
        let bids = candidacies.filter { $0.work == nil || $0.deadline - began <= $0.role.lease * 2 / 3 }.map {
            Bid(
                name: $0.role.name, lease: $0.role.lease, dead: $0.watch.unrenewed(for: $0.role.lease, at: began))
        }
        guard !bids.isEmpty else { return }
        do {
            let (owner, hasEnded) = (owner, hasEnded)
            let found = try await store.write(.relaxed) { transaction in
                try bids.map { try Self.settle($0, owner, hasEnded, transaction) }
            }
            if storeIsAway { logger.notice("the state store is there again") }
            storeIsAway = false
            for (bid, holder) in zip(bids, found) { note(bid.name, holder, began) }
        } catch {
            if !storeIsAway { logger.error("leases cannot be renewed", metadata: ["error": "\(error)"]) }
            storeIsAway = true
        }
    }

    /// Takes or renews one lease if it is free, ours or a dead one's.
    ///
    /// - Returns: Who has it otherwise; nil when it is ours.
    private static func settle(
        _ bid: Bid, _ owner: String, _ hasEnded: (String) -> Bool, _ transaction: any StateTransaction
    ) throws -> LeaseRecord? {
        if let record = try transaction.leases.find(bid.name), record.owner != owner {
            guard bid.dead.contains(record) || hasEnded(record.owner) else { return record }
            try transaction.leases.release(bid.name, owner: record.owner)
        }
        if try transaction.leases.acquire(bid.name, owner: owner, for: bid.lease) != nil { return nil }
        return try transaction.leases.find(bid.name)
    }

    private func note(_ name: String, _ holder: LeaseRecord?, _ began: ContinuousClock.Instant) {
        guard let index = candidacies.firstIndex(where: { $0.role.name == name }) else { return }
        if let holder {
            if candidacies[index].work != nil { lose(index) }
            candidacies[index].watch.observe([holder], at: .now)
            if candidacies[index].holder?.owner != holder.owner {
                logger.info("a role is elsewhere", metadata: ["role": "\(name)", "owner": "\(holder.owner)"])
                candidacies[index].role.isElsewhere(holder)
            }
            candidacies[index].holder = holder
            return
        }
        candidacies[index].watch = RenewalWatch()
        candidacies[index].holder = nil
        candidacies[index].deadline = began + candidacies[index].role.lease
        if candidacies[index].work == nil { begin(index) }
    }

    // MARK: Holding

    private func begin(_ index: Int) {
        let (role, before) = (candidacies[index].role, candidacies[index].ending)
        logger.info("a role begins", metadata: ["role": "\(role.name)"])
        candidacies[index].work = Task {
            await before?.value
            await role.run()
        }
        candidacies[index].watchdog = Task { await self.guardDeadline(index) }
    }

    /// Ends the work when its lease has run out unrenewed, as when the database is away.
    private func guardDeadline(_ index: Int) async {
        while !Task.isCancelled {
            let deadline = candidacies[index].deadline
            guard deadline > .now else { return lose(index) }
            try? await Task.sleep(until: deadline, clock: .continuous)
        }
    }

    private func lose(_ index: Int) {
        guard let work = candidacies[index].work else { return }
        logger.warning("a role is lost", metadata: ["role": "\(candidacies[index].role.name)"])
        work.cancel()
        candidacies[index].watchdog?.cancel()
        candidacies[index].work = nil
        candidacies[index].ending = work
    }

    private func resign() async {
        for candidacy in candidacies {
            candidacy.watchdog?.cancel()
            candidacy.work?.cancel()
        }
        for candidacy in candidacies {
            await candidacy.work?.value
            await candidacy.ending?.value
        }
        let held = candidacies.filter { $0.work != nil }.map(\.role.name)
        guard !held.isEmpty else { return }
        let owner = owner
        // Who cannot be told finds out by itself.
        try? await store.write(.relaxed) { transaction in
            for name in held { try transaction.leases.release(name, owner: owner) }
        }
    }
}
