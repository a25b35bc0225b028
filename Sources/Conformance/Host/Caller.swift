// SPDX-License-Identifier: Apache-2.0

import CTrovePlugin
import Glibc
import Model
import Synchronization

/// What a call of the plugin came to.
struct CallOutcome {
    var status: Int32
    var output: [UInt8]
    var failure: ObservedCall.Failure?
    var duration: Duration

    var isOK: Bool { status == Int32(TROVE_OK) }

    /// The document that was emitted; nil when it is none.
    var document: JSONValue? { try? JSONValue(parsing: output) }

    /// E.g. `TROVE_INVALID_ARGUMENT: the name is empty`.
    var text: String { Status.name(status) + (failure.map { ": " + $0.message } ?? "") }
}

/// Names of statuses.
enum Status {
    static func name(_ status: Int32) -> String {
        let names = [
            "OK", "INVALID_ARGUMENT", "NOT_FOUND", "ALREADY_EXISTS", "UNSUPPORTED", "PRECONDITION_FAILED", "CANCELLED",
            "TIMED_OUT", "BUSY", "UNAVAILABLE", "PERMISSION_DENIED", "EXHAUSTED", "INTERNAL", "PENDING",
        ]
        guard status >= 0, Int(status) < names.count else { return "status \(status)" }
        return "TROVE_" + names[Int(status)]
    }
}

/// How one call is made.
struct CallPlan {
    var limit = Duration.seconds(5)
    var isCancelledBefore = false
    var cancelAfter: Duration?
    /// How long after the deadline or the cancellation a function may still run.
    var grace = Duration.seconds(2)
    /// What it emits, when it succeeds.
    var reply = Reply.any
    /// Secrets of the input may be in what is emitted.
    var mayEmitSecret = false
}

/// What a function emits.
enum Reply: Sendable {
    case any
    /// Nothing, or something that nobody reads.
    case nothing
    case schema(String)
    case inline(JSONValue)
}

/// A function did not end; its thread is lost, so the process has to start anew.
struct StuckCall: Error {}

/// Calls functions on the worker and judges each call by the rules that hold for all.
final class Caller {
    let worker = Worker()
    let schemas: SchemaSet
    /// A secret that requests carry; it must not come back in any text for operators.
    static let secret = "Kx7planted9Qz-secret"

    init(schemas: SchemaSet) { self.schemas = schemas }

    /// Makes one call.
    ///
    /// - Parameter check: Which check fails if the call does not end in time.
    /// - Throws: `StuckCall` when the function does not end.
    func call(
        _ function: String, _ request: [UInt8], check: String = "call.deadline", plan: CallPlan = .init(),
        _ body: @escaping (OpaquePointer?, trove_str) -> Int32
    ) throws -> CallOutcome {
        let begun = ContinuousClock.now
        let call = ObservedHost.shared.begin(function, deadline: begun + plan.limit)
        if plan.isCancelledBefore { ObservedHost.shared.state.withLock { _ in call.cancel() } }
        var status: Int32 = 0
        let memory = BorrowedBytes(request)
        let isBack = worker.run(
            { status = body(call.handle, memory.text) }, interval: .milliseconds(10),
            tick: { self.tick(call, begun, plan, check) })
        guard isBack else { throw StuckCall() }
        if status == Int32(TROVE_PENDING) { status = waitForCompletion(call, begun, plan) }
        ObservedHost.shared.end(call)
        let outcome = CallOutcome(
            status: status, output: call.output, failure: call.failures.last, duration: .now - begun)
        CallRules.judge(call, outcome, plan, schemas)
        return outcome
    }

    /// Cancels at the deadline, as the host does; gives up after the grace.
    private func tick(
        _ call: ObservedCall, _ begun: ContinuousClock.Instant, _ plan: CallPlan, _ check: String
    ) -> Bool {
        let elapsed = ContinuousClock.now - begun
        let isCancelled = ObservedHost.shared.state.withLock { _ in
            if elapsed > plan.limit || (plan.cancelAfter.map { elapsed > $0 } ?? false) { call.cancel() }
            return call.isCancelled
        }
        guard isCancelled else { return true }
        let since = plan.isCancelledBefore ? .zero : plan.cancelAfter.map { min($0, plan.limit) } ?? plan.limit
        guard elapsed > since + plan.grace else { return true }
        let reason = since == plan.limit ? "its deadline passed" : "it was cancelled"
        ChildReporter.shared.fail(
            check,
            "\(call.function) still ran \(plan.grace) after \(reason); poll is_cancelled or cancel_fd, and heed time_left_ns."
        )
        return false
    }

    private func waitForCompletion(
        _ call: ObservedCall, _ begun: ContinuousClock.Instant, _ plan: CallPlan
    ) -> Int32 {
        while true {
            if let status = ObservedHost.shared.state.withLock({ _ in call.completion }) {
                // A second complete comes right after the first, if at all.
                usleep(3000)
                return status
            }
            guard ContinuousClock.now - begun < plan.limit + plan.grace else {
                ChildReporter.shared.fail(
                    "call.complete",
                    "\(call.function) returned TROVE_PENDING and never called complete; complete each call once.")
                return Int32(TROVE_TIMED_OUT)
            }
            let elapsed = ContinuousClock.now - begun
            if elapsed > plan.limit || (plan.cancelAfter.map { elapsed > $0 } ?? false) {
                ObservedHost.shared.state.withLock { _ in call.cancel() }
            }
            usleep(1000)
        }
    }
}

/// Bytes at an address of their own, with nothing readable implied after the end.
final class BorrowedBytes {
    private let memory: UnsafeMutablePointer<UInt8>
    private let count: Int

    init(_ bytes: [UInt8]) {
        count = bytes.count
        memory = .allocate(capacity: max(count, 1))
        memory.initialize(from: bytes, count: count)
    }

    deinit { memory.deallocate() }

    var text: trove_str {
        count == 0
            ? trove_str() : trove_str(ptr: UnsafeRawPointer(memory).assumingMemoryBound(to: CChar.self), len: count)
    }
}
