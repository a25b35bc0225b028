// SPDX-License-Identifier: Apache-2.0

import StateStore

/// A state store that fails every transaction in one way.
struct FailingStore: StateStore {
    let error: StateStoreError

    init(_ code: StateStoreError.Code) { error = StateStoreError(code, "why") }

    func read<Value: Sendable>(
        _ body: @Sendable @escaping (any StateTransaction) throws -> Value
    ) async throws -> Value { throw error }

    func write<Value: Sendable>(
        _ durability: Durability, _ body: @Sendable @escaping (any StateTransaction) throws -> Value
    ) async throws -> Value { throw error }

    func close() async {}
}
