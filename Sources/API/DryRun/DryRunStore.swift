// SPDX-License-Identifier: Apache-2.0

import StateStore
import Synchronization

/// The state store of a dry run: transactions run to their end and are rolled back, with every check of the database.
struct DryRunStore: StateStore {
    let store: any StateStore
    let run: DryRun

    private struct RolledBack: Error {}

    private final class Outcome<Value: Sendable>: Sendable {
        let value = Mutex<(value: Value, steps: [DryRun.Step])?>(nil)
    }

    func read<Value: Sendable>(
        _ body: @Sendable @escaping (any StateTransaction) throws -> Value
    ) async throws -> Value { try await store.read(body) }

    func write<Value: Sendable>(
        _ durability: Durability, _ body: @Sendable @escaping (any StateTransaction) throws -> Value
    ) async throws -> Value {
        let (outcome, run) = (Outcome<Value>(), run)
        do {
            // Nothing is kept, so nothing needs to be durable.
            try await store.write(.relaxed) { transaction in
                let value = try body(transaction)
                let steps = try run.steps(transaction)
                outcome.value.withLock { $0 = (value, steps) }
                throw RolledBack()
            }
        } catch is RolledBack {}
        guard let (value, steps) = outcome.value.withLock({ $0 }) else {
            throw StateStoreError(.unavailable, "The transaction was rolled back.")
        }
        run.note(steps)
        return value
    }

    /// The store is everybody's.
    func close() async {}
}
