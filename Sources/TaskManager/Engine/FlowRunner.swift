// SPDX-License-Identifier: Apache-2.0

import Compute
package import Logging
import Messaging
import Metrics
import Model
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

    package func run(_ record: JournalRecord) async {
        var logger = logger
        logger[metadataKey: "request.id"] = "\(record.requestID)"
        logger[metadataKey: "operation.id"] = "\(record.id)"
        logger[metadataKey: "flow.name"] = "\(record.flow)"
        logger[metadataKey: "resource.id"] = "\(record.resourceID)"
        guard let flow = flows.first(where: { type(of: $0).name.rawValue == record.flow }) else {
            logger.error("the journal names a flow that this version does not have")
            await postpone(record, message: "no such flow", logger: logger)
            return
        }
        let run = FlowRun(record: record, services: services, logger: logger)
        do {
            try await renewingLease(of: record, logger: logger) { try await steps(of: flow, run) }
        } catch let error as StepFailure {
            await handle(error, flow: flow, run: run)
        } catch let error as StateStoreError where error.code == .conflict {
            logger.warning("another task manager holds the operation now; leaving it")
        } catch is CancellationError {
            logger.notice("stopping; the operation goes on after the next start")
        } catch {
            logger.error("the operation could not be recorded", metadata: ["error": "\(error)"])
            await postpone(record, message: "\(error)", logger: logger)
        }
    }

    // MARK: Steps

    private struct StepFailure: Error {
        var step: FlowStep
        var message: String
        var isRetryable: Bool
        var attempt: Int
    }

    private func steps(of flow: any Flow, _ run: FlowRun) async throws {
        let steps = flow.steps
        let record = run.record
        var first = 0
        var attempt = 0
        if let index = steps.firstIndex(where: { $0.name == record.step }) {
            first = record.stepIsDone ? index + 1 : index
            attempt = record.stepIsDone ? 0 : record.attempt
        }
        if first < steps.count { try await begin(steps[first], run, attempt: attempt + 1) }
        for index in first..<max(first, steps.count) {
            let step = steps[index]
            let name = type(of: flow).name
            passed(CrashPoint(flow: name, step: step.name, moment: .beforeEffect))
            try await perform(step, run, attempt: index == first ? attempt + 1 : 1)
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
        try await write(.durable, run) { transaction, now in
            try flow.finish(run, transaction, now: now)
            try transaction.journal.finish(record.id, fence: record.fence, state: .done, error: nil, now: now)
        }
        run.logger.notice("operation finished")
    }

    /// Records that `step` begins (which says that the one before it is done) and what it will make.
    private func begin(_ step: FlowStep, _ run: FlowRun, attempt: Int) async throws {
        let entries = try step.ledger(run)
        let record = run.record
        try await write(.relaxed, run) { transaction, now in
            if !entries.isEmpty { try transaction.ledger.add(entries) }
            try transaction.journal.record(
                record.id, fence: record.fence, step: step.name, isDone: false, scratch: run.scratch,
                attempt: attempt, now: now
            )
        }
    }

    private func perform(_ step: FlowStep, _ run: FlowRun, attempt: Int) async throws {
        let started = ContinuousClock.now
        run.logger.debug("step begins", metadata: ["step.name": "\(step.name)", "attempt": "\(attempt)"])
        do {
            try await withDeadline(step.deadline) { try await step.run(run) }
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

    private func withDeadline(_ limit: Duration, _ body: @Sendable @escaping () async throws -> Void) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await body() }
            group.addTask {
                try await Task.sleep(for: limit)
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

    private func handle(_ failure: StepFailure, flow: any Flow, run: FlowRun) async {
        let record = run.record
        var metadata: Logger.Metadata = ["step.name": "\(failure.step.name)", "attempt": "\(failure.attempt)"]
        metadata["error"] = "\(failure.message)"
        let mayRetry =
            flow.maximumAttempts.map { failure.isRetryable && failure.attempt < $0 } ?? true
        if mayRetry {
            run.logger.warning("step failed; trying again later", metadata: metadata)
            await postpone(record, message: failure.message, attempt: failure.attempt, logger: run.logger)
            return
        }
        run.logger.error("operation failed", metadata: metadata)
        do {
            try await flow.undo(run, step: failure.step)
        } catch {
            run.logger.error("undo failed; the ledger keeps what is left", metadata: ["error": "\(error)"])
        }
        do {
            try await write(.durable, run) { transaction, now in
                try flow.fail(run, step: failure.step, message: failure.message, transaction, now: now)
                try transaction.journal.finish(
                    record.id, fence: record.fence, state: .failed, error: failure.message, now: now
                )
            }
        } catch {
            run.logger.error("the failure could not be recorded", metadata: ["error": "\(error)"])
            await postpone(record, message: failure.message, logger: run.logger)
        }
    }

    /// Gives the row back, to be claimed after an exponential, jittered pause.
    private func postpone(_ record: JournalRecord, message: String, attempt: Int = 1, logger: Logger) async {
        let base = min(30.0, 0.2 * Double(1 << min(attempt, 10)))
        let pause = base * Double.random(in: 0.75...1.25)
        do {
            let clock = services.clock
            try await services.store.write(.relaxed) { transaction in
                try transaction.journal.postpone(
                    record.id, fence: record.fence, notBefore: clock.now + .milliseconds(Int(pause * 1000)),
                    error: message, now: clock.now
                )
            }
        } catch {
            logger.error("the operation could not be postponed; its lease runs out", metadata: ["error": "\(error)"])
        }
    }

    // MARK: Lease

    private func renewingLease(
        of record: JournalRecord, logger: Logger, _ body: @Sendable @escaping () async throws -> Void
    ) async throws {
        let lease = services.configuration.lease
        let store = services.store
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await body() }
            group.addTask {
                while true {
                    try await Task.sleep(for: lease / 3)
                    try await store.write(.relaxed) { transaction in
                        try transaction.journal.renew(record.id, fence: record.fence, until: transaction.now + lease)
                    }
                }
            }
            defer { group.cancelAll() }
            try await group.next()
        }
    }

    private func write(
        _ durability: Durability, _ run: FlowRun,
        _ body: @Sendable @escaping (any StateTransaction, Timestamp) throws -> Void
    ) async throws {
        let clock = services.clock
        try await services.store.write(durability) { try body($0, clock.now) }
    }
}
