// SPDX-License-Identifier: Apache-2.0

import Calls
import Model
import StateStore
import Synchronization

/// A mutation that is only asked what it would do: `?dry_run=true` → 200 `{"plan": [{"step", "effect", "seconds"}]}`.
///
/// The route runs as it always does, but over services that change nothing: each transaction is rolled back after its body
/// ran, and what would be sent to a guest or done by a plugin's action is noted and ends the route. So no route can leave
/// it out. Source: docs/rest-api.md.
final class DryRun: Sendable {
    /// One step of a plan.
    struct Step: Sendable, Hashable {
        var name: String
        var effect: String
        /// nil when it was never measured.
        var duration: Duration?
    }

    private struct State {
        var steps: [Step] = []
        var hasWritten = false
        /// Something that cannot be rolled back would have been next.
        var isStopped = false
    }

    /// How many recent durations of a flow's steps an estimate looks at.
    static let measurements = 200
    static let parameter = QueryParameter(
        "dry_run", "true: nothing is done; the answer is 200 with the plan of what would be.", .boolean)

    private let requestID: String
    private let operation: String
    private let effect: String
    private let state = Mutex(State())

    private init(requestID: String, operation: String, effect: String) {
        self.requestID = requestID
        self.operation = operation
        self.effect = effect
    }

    // MARK: The request

    /// - Throws: 400 for a `dry_run` that is neither true nor false.
    static func isAsked(_ request: APIRequest) throws(APIFault) -> Bool {
        guard let query = request.query, query.utf8.count >= 7, request.method != "GET", request.method != "HEAD" else {
            return false
        }
        return try Query(query).flag("dry_run") ?? false
    }

    /// Runs a route without its effects.
    ///
    /// - Parameters:
    ///   - operation: Names what has no steps of its own.
    ///   - effect: What the route does, in a sentence.
    /// - Throws: what the route throws.
    static func answer(
        _ call: APICall, operation: String, effect: String, _ handle: (APICall) async throws -> APIResponse
    ) async throws -> APIResponse {
        let run = DryRun(requestID: call.context.requestID, operation: operation, effect: effect)
        do {
            let response = try await handle(call.planned(by: run))
            if response.status >= 400 { return response }
        } catch  where run.state.withLock({ $0.isStopped }) {
            // The route could not go on without what a guest answers.
        }
        return run.document
    }

    /// `{"plan": […]}`
    private var document: APIResponse {
        let (steps, hasWritten) = state.withLock { ($0.steps, $0.hasWritten) }
        let plan = steps.isEmpty && hasWritten ? [Step(name: operation, effect: effect)] : steps
        return .json { writer in
            writer.value([
                "plan": .array(
                    plan.map {
                        [
                            "step": .string($0.name), "effect": .string($0.effect),
                            "seconds": EventView.seconds($0.duration),
                        ]
                    })
            ])
        }
    }

    static let schema = Schema.object(
        [
            "plan": .array(
                of: .object(
                    ["step": .string(), "effect": .string(), "seconds": .oneOf([.number, .null])],
                    required: ["step", "effect", "seconds"]))
        ], required: ["plan"])

    // MARK: What would happen

    /// Something that leaves the process would be next.
    func stop(_ name: String, _ effect: String? = nil) {
        state.withLock { state in
            guard !state.isStopped else { return }
            state.isStopped = true
            state.steps.append(Step(name: name, effect: effect ?? self.effect))
        }
    }

    /// The steps of the operations that a transaction has accepted for this request.
    func steps(_ transaction: any StateTransaction) throws -> [Step] {
        try transaction.journal.live(resourceID: nil).filter { $0.requestID == requestID }.flatMap { row -> [Step] in
            guard let flow = FlowName(rawValue: row.flow) else { return [] }
            let measured = try transaction.events.durations(flow: row.flow, limit: Self.measurements)
            return flow.plan.map { step, effect in
                Step(
                    name: step, effect: effect,
                    duration: Self.median(measured.filter { $0.step == step }.map(\.duration)))
            }
        }
    }

    func note(_ steps: [Step]) {
        state.withLock { state in
            state.hasWritten = true
            state.steps += steps
        }
    }

    /// The lower of the two in the middle; nil of none.
    static func median(_ durations: [Duration]) -> Duration? {
        durations.isEmpty ? nil : durations.sorted()[(durations.count - 1) / 2]
    }
}

extension APICall {
    /// The same call over services that change nothing.
    fileprivate func planned(by run: DryRun) -> APICall {
        var copy = APICall(request: request, services: services.planned(by: run), context: context, now: now)
        copy.parameters = parameters
        copy.declaredBody = declaredBody
        return copy
    }
}
