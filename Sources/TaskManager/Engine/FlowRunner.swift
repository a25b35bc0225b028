// SPDX-License-Identifier: Apache-2.0

import Compute
package import Logging
import Messaging
import Metrics
import Model
import Notifications
import ObjectStore
import PluginHost
package import StateStore

/// Runs one claimed journal row to its end, or to the point where it must be tried again later.
package struct FlowRunner: Sendable {
    package let services: FlowServices
    package let logger: Logger
    /// Called at every crash point that is passed.
    package let passed: @Sendable (CrashPoint) -> Void

    private let flows: [any Flow]

    package init(
        services: FlowServices, logger: Logger, flows: [any Flow] = FlowCatalogue.flows,
        passed: @Sendable @escaping (CrashPoint) -> Void = { _ in }
    ) {
        self.services = services
        self.logger = logger
        self.flows = flows
        self.passed = passed
    }

    /// What became of a claimed row.
    package enum Outcome: Sendable {
        /// It has ended, was given back to be tried again later, or is another's.
        case settled
        /// It is still claimed, and nothing works on it any more.
        case left
    }

    /// - Parameters:
    ///   - record: As it was claimed.
    ///   - claimed: When the claim was begun; its lease counts from then.
    @discardableResult
    package func run(_ record: JournalRecord, claimed: ContinuousClock.Instant = .now) async -> Outcome {
        var logger = logger
        logger[metadataKey: "request.id"] = "\(record.requestID)"
        logger[metadataKey: "operation.id"] = "\(record.id)"
        logger[metadataKey: "flow.name"] = "\(record.flow)"
        logger[metadataKey: "resource.id"] = "\(record.resourceID)"
        let store = PatientStateStore(services.store, logger: logger)
        var services = services
        services.store = store
        let run = FlowRun(record: record, services: services, logger: logger)
        let hold = LeaseHold(
            store: self.services.store, record: record, lease: services.configuration.lease, since: claimed,
            logger: logger)
        do {
            try await hold.run { try await attempt(run, store) }
            return .settled
        } catch LeaseLoss.taken {
            logger.warning("another task manager holds the operation now; leaving it")
            return .settled
        } catch LeaseLoss.ranOut {
            logger.warning("the operation's lease ran out; leaving it")
            return .left
        } catch is CancellationError {
            logger.notice("stopping; the operation goes on after the next start")
            return .left
        } catch {
            logger.error("the operation could not be recorded; leaving it", metadata: ["error": "\(error)"])
            return .left
        }
    }

    /// Runs what is left of the flow, and records how that ended.
    private func attempt(_ run: FlowRun, _ store: PatientStateStore) async throws {
        guard let flow = flows.first(where: { type(of: $0).name.rawValue == run.record.flow }) else {
            run.logger.error("the journal names a flow that this version does not have")
            return try await postpone(run, message: "no such flow", attempt: 4)
        }
        do {
            do {
                try await steps(of: flow, run, store)
            } catch let failure as StepFailure {
                try await handle(failure, flow: flow, run: run)
            }
        } catch let error as StateStoreError {
            guard try await isClaimed(run) else { return }
            run.logger.error("the operation could not be recorded", metadata: ["error": "\(error)"])
            try await postpone(run, message: error.message)
        }
    }

    /// Whether the row is still under this claim. Not when this claim ended it: an answer may have been lost on the way.
    ///
    /// - Throws: `LeaseLoss.taken` when another has claimed it since.
    private func isClaimed(_ run: FlowRun) async throws -> Bool {
        let (id, fence) = (run.record.id, run.record.fence)
        let row = try await run.services.store.read { try $0.journal.find(id) }
        guard let row, row.fence == fence else { throw LeaseLoss.taken }
        return row.state == .running
    }

    // MARK: Steps

    private struct StepFailure: Error {
        var step: FlowStep
        var message: String
        var isRetryable: Bool
        var attempt: Int
    }

    private func steps(of flow: any Flow, _ run: FlowRun, _ store: PatientStateStore) async throws {
        let steps = flow.steps
        let record = run.record
        var first = 0
        var attempt = 0
        if let index = steps.firstIndex(where: { $0.name == record.step }) {
            first = record.stepIsDone ? index + 1 : index
            attempt = record.stepIsDone ? 0 : record.attempt
        }
        if first < steps.count {
            try await begin(steps[first], run, attempt: attempt + 1, isFirst: record.step.isEmpty)
        }
        for index in first..<max(first, steps.count) {
            let step = steps[index]
            let name = type(of: flow).name
            passed(CrashPoint(flow: name, step: step.name, moment: .beforeEffect))
            try await perform(step, run, store, attempt: index == first ? attempt + 1 : 1)
            passed(CrashPoint(flow: name, step: step.name, moment: .afterEffect))
            if index + 1 < steps.count {
                try await begin(steps[index + 1], run, attempt: 1)
            } else {
                try await write(.relaxed, run) { transaction, now in
                    try transaction.journal.record(
                        record.id, fence: record.fence, step: step.name, isDone: true, scratch: run.scratch,
                        attempt: 1, now: now
                    )
                }
            }
            passed(CrashPoint(flow: name, step: step.name, moment: .afterRecord))
        }
        let notices = try await write(.durable, run) { transaction, now in
            try FlowNotices(run).ended(transaction, now: now) {
                try flow.finish(run, transaction, now: now)
                try transaction.journal.finish(record.id, fence: record.fence, state: .done, error: nil, now: now)
            }
        }
        run.services.notifier.committed(notices)
        run.logger.notice("operation finished")
    }

    /// Records that `step` begins (which says that the one before it is done) and what it will make.
    private func begin(_ step: FlowStep, _ run: FlowRun, attempt: Int, isFirst: Bool = false) async throws {
        let entries = try step.ledger(run)
        let record = run.record
        let notices = try await write(.relaxed, run) { transaction, now in
            if !entries.isEmpty { try transaction.ledger.add(entries) }
            try transaction.journal.record(
                record.id, fence: record.fence, step: step.name, isDone: false, scratch: run.scratch,
                attempt: attempt, now: now
            )
            return isFirst ? try FlowNotices(run).begun(transaction) : []
        }
        run.services.notifier.committed(notices)
    }

    private func perform(_ step: FlowStep, _ run: FlowRun, _ store: PatientStateStore, attempt: Int) async throws {
        let started = ContinuousClock.now
        run.logger.debug("step begins", metadata: ["step.name": "\(step.name)", "attempt": "\(attempt)"])
        do {
            try await withDeadline(step.deadline, besides: store) { try await step.run(run) }
        } catch  where Task.isCancelled {
            // A clean stop cancels the step; whatever it made of that, the row goes on after the next start.
            throw CancellationError()
        } catch let error as StateStoreError where error.code == .conflict {
            throw error
        } catch {
            let (message, isRetryable) = Self.describe(error)
            throw StepFailure(step: step, message: message, isRetryable: isRetryable, attempt: attempt)
        }
        let duration = started.duration(to: .now)
        Timer(label: "trove_flow_step_seconds", dimensions: [("flow", run.record.flow), ("step", step.name)])
            .recordNanoseconds(duration.microseconds * 1000)
        run.logger.info(
            "step done",
            metadata: ["step.name": "\(step.name)", "duration.ms": "\(duration.microseconds / 1000)"]
        )
    }

    /// - Parameter store: Time that `body` waits for it does not count.
    private func withDeadline(
        _ limit: Duration, besides store: PatientStateStore, _ body: @Sendable @escaping () async throws -> Void
    ) async throws {
        let (started, waited) = (ContinuousClock.now, store.waited)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await body() }
            group.addTask {
                while true {
                    let left = limit + (store.waited - waited) - started.duration(to: .now)
                    guard left > .zero else { break }
                    try await Task.sleep(for: left)
                }
                throw FlowError("Timed out after \(limit.components.seconds) s.", isRetryable: false)
            }
            defer { group.cancelAll() }
            try await group.next()
        }
    }

    /// The sentence for the tenant, and whether trying again may help.
    private static func describe(_ error: any Error) -> (String, Bool) {
        switch error {
        case let error as FlowError: (error.message, error.isRetryable)
        case let error as ComputeError: (error.message, error.isRetryable)
        case let error as MessagingError: (error.message, error.isRetryable)
        case let error as PluginError: ("\(error.message) (plugin \(error.pluginID))", error.isRetryable)
        case let error as ObjectStoreError: (error.message, error.isRetryable)
        case let error as StateStoreError: (error.message, error.isRetryable)
        default: ("\(error)", false)
        }
    }

    // MARK: Failure

    private func handle(_ failure: StepFailure, flow: any Flow, run: FlowRun) async throws {
        let record = run.record
        var metadata: Logger.Metadata = ["step.name": "\(failure.step.name)", "attempt": "\(failure.attempt)"]
        metadata["error"] = "\(failure.message)"
        let mayRetry =
            flow.maximumAttempts.map { failure.isRetryable && failure.attempt < $0 } ?? true
        if mayRetry {
            run.logger.warning("step failed; trying again later", metadata: metadata)
            return try await postpone(run, message: failure.message, attempt: failure.attempt)
        }
        run.logger.error("operation failed", metadata: metadata)
        do {
            try await flow.undo(run, step: failure.step)
        } catch  where Task.isCancelled {
            throw CancellationError()
        } catch {
            run.logger.error("undo failed; the ledger keeps what is left", metadata: ["error": "\(error)"])
        }
        let notices = try await write(.durable, run) { transaction, now in
            let notices = try FlowNotices(run).failed(failure.step.name, failure.message, transaction)
            try flow.fail(run, step: failure.step, message: failure.message, transaction, now: now)
            try transaction.journal.finish(
                record.id, fence: record.fence, state: .failed, error: failure.message, now: now
            )
            return notices
        }
        run.services.notifier.committed(notices)
    }

    /// Gives the row back, to be claimed after an exponential, jittered pause.
    private func postpone(_ run: FlowRun, message: String, attempt: Int = 1) async throws {
        let base = min(30.0, 0.2 * Double(1 << min(attempt, 10)))
        let pause = Duration.milliseconds(Int(base * Double.random(in: 0.75...1.25) * 1000))
        let (id, fence) = (run.record.id, run.record.fence)
        defer { run.services.bell.ring() }
        do {
            try await run.services.store.write(.relaxed) { transaction in
                let now = try transaction.now
                try transaction.journal.postpone(id, fence: fence, notBefore: now + pause, error: message, now: now)
            }
        } catch let error as StateStoreError where error.code == .conflict || error.code == .notFound {
            throw LeaseLoss.taken
        }
    }

    private func write<Value: Sendable>(
        _ durability: Durability, _ run: FlowRun,
        _ body: @Sendable @escaping (any StateTransaction, Timestamp) throws -> Value
    ) async throws -> Value {
        let clock = run.services.clock
        defer { run.services.bell.ring() }
        return try await run.services.store.write(durability) { try body($0, clock.now) }
    }
}
