// SPDX-License-Identifier: Apache-2.0

package import Logging
import Model
import StateStore

/// Claims journal rows as they become due and runs each in a task of its own.
package actor FlowDispatcher {
    private let services: FlowServices
    private let runner: FlowRunner
    private let logger: Logger
    private var running: [String: Task<Void, Never>] = [:]
    private var isClaiming = false
    private var mustLookAgain = false
    private var isStopping = false
    private var timer: Task<Void, Never>?

    package init(
        services: FlowServices, logger: Logger, flows: [any Flow] = FlowCatalogue.flows,
        passed: @Sendable @escaping (CrashPoint) -> Void = { _ in }
    ) {
        self.services = services
        self.logger = logger
        runner = FlowRunner(services: services, logger: logger, flows: flows, passed: passed)
    }

    /// Takes back what an earlier process of the same name had claimed, then claims what is due.
    package func start() async {
        do {
            let owner = services.configuration.owner
            try await services.store.write(.relaxed) { try $0.journal.release(owner: owner) }
        } catch {
            logger.error("rows of the last run could not be taken back", metadata: ["error": "\(error)"])
        }
        await wake()
    }

    /// Looks into the journal. Calls while a look is going on are folded into one more look.
    package func wake() async {
        mustLookAgain = true
        guard !isClaiming else { return }
        isClaiming = true
        defer { isClaiming = false }
        while mustLookAgain, !isStopping {
            mustLookAgain = false
            await claimAll()
        }
    }

    /// Stops claiming, asks running flows to stop at their next await, and waits for them.
    package func stop() async {
        isStopping = true
        timer?.cancel()
        let tasks = Array(running.values)
        for task in tasks { task.cancel() }
        for task in tasks { await task.value }
        let owner = services.configuration.owner
        try? await services.store.write(.relaxed) { try $0.journal.release(owner: owner) }
    }

    package var runningCount: Int { running.count }

    private func claimAll() async {
        let configuration = services.configuration
        while running.count < configuration.concurrency, !isStopping {
            let busy = Array(running.keys)
            do {
                let record = try await services.store.write(.relaxed) { transaction in
                    try transaction.journal.claim(
                        owner: configuration.owner, host: nil, lease: configuration.lease, excluding: busy,
                        stealing: transaction.journal.expired()
                    )
                }
                guard let record else { break }
                start(record)
            } catch {
                logger.error("the journal could not be read", metadata: ["error": "\(error)"])
                schedule(after: .seconds(1))
                return
            }
        }
        await scheduleNext()
    }

    private func start(_ record: JournalRecord) {
        running[record.resourceID] = Task {
            await runner.run(record)
            await self.ended(record)
        }
    }

    private func ended(_ record: JournalRecord) async {
        running[record.resourceID] = nil
        await wake()
    }

    private func scheduleNext() async {
        let due = try? await services.store.read { try $0.journal.nextDue(host: nil) }
        guard let due, !isStopping else { return }
        // A row that is due already waits for a busy resource or a free place; the end of a flow looks again at once.
        let pause = due - services.clock.now
        schedule(after: pause > .zero ? pause : .milliseconds(500))
    }

    private func schedule(after pause: Duration) {
        timer?.cancel()
        timer = Task {
            do { try await Task.sleep(for: pause) } catch { return }
            await self.wake()
        }
    }
}
