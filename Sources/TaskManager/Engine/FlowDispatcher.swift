// SPDX-License-Identifier: Apache-2.0

import Compute
package import Logging
import Model
import StateStore

/// Claims journal rows as they become due and runs each in a task of its own, beside any number of others that do the same.
///
/// Works only while it has the name `configuration.name` to itself: so rows that an earlier process of that name had
/// claimed are nobody's, and are taken back at once. Another's are taken over when nobody has renewed them for a lease.
package actor FlowDispatcher {
    private let services: FlowServices
    private let runner: FlowRunner
    private let logger: Logger
    private let host: String?
    private var running: [String: Task<Void, Never>] = [:]
    private var watch = RenewalWatch<JournalLease>()
    /// Rows that are claimed, and that nothing here works on any more: id and fence.
    private var left: [String: Int] = [:]
    private var isClaiming = false
    private var mustLookAgain = false
    private var isWorking = false
    private var timer: Task<Void, Never>?

    package init(
        services: FlowServices, logger: Logger, flows: [any Flow] = FlowCatalogue.flows,
        passed: @Sendable @escaping (CrashPoint) -> Void = { _ in }
    ) {
        self.services = services
        self.logger = logger
        host = services.compute.host
        runner = FlowRunner(services: services, logger: logger, flows: flows, passed: passed)
    }

    private var owner: String { services.configuration.owner }

    package var runningCount: Int { running.count }

    /// Works until the task is cancelled; then asks running flows to stop at their next await, waits for them and gives
    /// their rows back.
    package func run() async {
        guard await takeBack() else { return }
        isWorking = true
        await wake()
        while !Task.isCancelled {
            try? await Task.sleep(for: services.configuration.pollInterval)
            if !Task.isCancelled, await hasWork() { await wake() }
        }
        // The end is not cancelled with the work.
        await Task { await stop() }.value
    }

    /// Looks into the journal. Calls while a look is going on are folded into one more look.
    package func wake() async {
        mustLookAgain = true
        guard !isClaiming else { return }
        isClaiming = true
        defer { isClaiming = false }
        while mustLookAgain, isWorking {
            mustLookAgain = false
            await claimAll()
        }
    }

    private func stop() async {
        isWorking = false
        timer?.cancel()
        let tasks = Array(running.values)
        for task in tasks { task.cancel() }
        for task in tasks { await task.value }
        let owner = owner
        try? await services.store.write(.relaxed) { try $0.journal.release(owner: owner) }
        left = [:]
        watch = RenewalWatch()
    }

    /// Frees the rows that processes of this name had claimed: none of them runs now. False when the task is cancelled before.
    private func takeBack() async -> Bool {
        let configuration = services.configuration
        while !Task.isCancelled {
            do {
                let owners = try await services.store.write(.relaxed) { transaction -> Set<String> in
                    let held = try transaction.journal.live(resourceID: nil).compactMap(\.leaseOwner)
                    let earlier = Set(held.filter(configuration.isOwnName))
                    for owner in earlier { try transaction.journal.release(owner: owner) }
                    return earlier
                }
                for owner in owners.sorted() {
                    logger.notice("operations of the last run are taken back", metadata: ["owner": "\(owner)"])
                }
                return true
            } catch {
                logger.error("rows of the last run could not be taken back", metadata: ["error": "\(error)"])
                try? await Task.sleep(for: .seconds(1))
            }
        }
        return false
    }

    // MARK: Looking

    /// Claims that are known to be nobody's.
    private var dead: [JournalLease] { watch.unrenewed(for: services.configuration.lease, at: .now) }

    /// Looks at what is claimed, and whether anything can be. Writes nothing, so it may be done often.
    private func hasWork() async -> Bool { await look().map { $0 <= .zero } ?? false }

    /// Time until something can be claimed; nil when nothing can or the database is away.
    private func look() async -> Duration? {
        let (host, began) = (host, ContinuousClock.now)
        let found = try? await services.store.read { transaction in
            let due = try transaction.journal.nextDue(host: host)
            return (held: try transaction.journal.held(), pause: try due.map { try $0 - transaction.now })
        }
        guard let found, isWorking else { return nil }
        watch.observe(found.held, at: began)
        left = left.filter { id, fence in found.held.contains { $0.id == id && $0.fence == fence } }
        return left.isEmpty && dead.isEmpty ? found.pause : .zero
    }

    // MARK: Claiming

    private func claimAll() async {
        var passedOver: Set<String> = []
        while running.count < services.configuration.concurrency, isWorking {
            do {
                guard let (record, began) = try await claim(besides: &passedOver) else { break }
                start(record, began)
            } catch {
                logger.error("the journal could not be read", metadata: ["error": "\(error)"])
                schedule(after: .seconds(1))
                return
            }
        }
        guard let pause = await look(), pause < services.configuration.pollInterval else { return }
        // A row that is due already waits for a busy resource or a free place; the end of a flow looks again at once.
        schedule(after: pause > .zero ? pause : .milliseconds(500))
    }

    private func claim(
        besides passedOver: inout Set<String>
    ) async throws -> (JournalRecord, ContinuousClock.Instant)? {
        let (owner, host, clock, lease) = (owner, host, services.clock, services.configuration.lease)
        let lost = left.map { $0 }
        let dead = dead
        while isWorking {
            let busy = Array(running.keys) + passedOver
            let began = ContinuousClock.now
            do {
                let record = try await services.store.write(.relaxed) { transaction in
                    var stealing = dead
                    if !lost.isEmpty {
                        let held = try transaction.journal.held()
                        stealing += held.filter { row in lost.contains { $0.key == row.id && $0.value == row.fence } }
                    }
                    let record = try transaction.journal.claim(
                        owner: owner, host: host, lease: lease, excluding: busy, stealing: stealing)
                    if let record, let host { try Placing.settle(record, host, transaction, now: clock.now) }
                    return record
                }
                return record.map { ($0, began) }
            } catch let elsewhere as Placing.Elsewhere {
                passedOver.insert(elsewhere.resourceID)
            }
        }
        return nil
    }

    private func start(_ record: JournalRecord, _ claimed: ContinuousClock.Instant) {
        left[record.id] = nil
        running[record.resourceID] = Task {
            let outcome = await runner.run(record, claimed: claimed)
            await self.ended(record, outcome)
        }
    }

    private func ended(_ record: JournalRecord, _ outcome: FlowRunner.Outcome) async {
        running[record.resourceID] = nil
        switch outcome {
        case .settled: await wake()
        // Taken back at the next look, so that trouble that stays does not go round and round.
        case .left: left[record.id] = record.fence
        }
    }

    private func schedule(after pause: Duration) {
        timer?.cancel()
        timer = Task {
            do { try await Task.sleep(for: pause) } catch { return }
            await self.wake()
        }
    }
}
