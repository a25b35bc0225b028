// SPDX-License-Identifier: Apache-2.0

package import Model
package import StateStore

/// Long work in ordered steps, each recorded in the journal before and after its effect.
///
/// A flow holds no state of its own: what one step leaves for a later one goes into the run's scratch, so that another
/// process can go on after a crash.
package protocol Flow: Sendable {
    static var name: FlowName { get }

    /// In the order they run; names are unique and stay, since the journal holds them.
    var steps: [FlowStep] { get }

    /// The writes that make the result visible, in the same transaction that ends the journal row.
    func finish(_ run: FlowRun, _ transaction: any StateTransaction, now: Timestamp) throws

    /// The writes that record the failure of `step` for the tenant, in the same transaction that ends the journal row.
    func fail(_ run: FlowRun, step: FlowStep, message: String, _ transaction: any StateTransaction, now: Timestamp)
        throws

    /// Undoes what can be undone after a failure; called before `fail`, errors are logged.
    func undo(_ run: FlowRun, step: FlowStep) async throws

    /// How often one step is tried before the flow fails; `nil` means for ever, with the longest backoff.
    var maximumAttempts: Int? { get }
}

extension Flow {
    package func undo(_ run: FlowRun, step: FlowStep) async throws {}
    package var maximumAttempts: Int? { 5 }
}

/// One step of a flow.
package struct FlowStep: Sendable {
    package let name: String
    /// The step fails as timed out after this.
    package let deadline: Duration
    /// The task the instance shows when this step finally fails.
    package let errorTask: InstanceTask
    /// What the step is about to make outside the state store; written to the ledger before `run`.
    package let ledger: @Sendable (FlowRun) throws -> [LedgerEntry]
    /// Idempotent: after a crash it runs again from its beginning.
    package let run: @Sendable (FlowRun) async throws -> Void

    package init(
        _ name: String,
        deadline: Duration,
        errorTask: InstanceTask = .none,
        ledger: @Sendable @escaping (FlowRun) throws -> [LedgerEntry] = { _ in [] },
        run: @Sendable @escaping (FlowRun) async throws -> Void
    ) {
        self.name = name
        self.deadline = deadline
        self.errorTask = errorTask
        self.ledger = ledger
        self.run = run
    }
}

/// Why a step failed.
package struct FlowError: Error, Sendable {
    /// One sentence for the tenant, without secrets.
    package var message: String
    package var isRetryable: Bool

    package init(_ message: String, isRetryable: Bool = false) {
        self.message = message
        self.isRetryable = isRetryable
    }
}
