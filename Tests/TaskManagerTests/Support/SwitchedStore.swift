// SPDX-License-Identifier: Apache-2.0

import StateStore
import Synchronization

/// One process's way to the state store, which can be cut and mended.
final class SwitchedStore: StateStore {
    private let store: any StateStore
    private let isCut = Mutex(false)

    init(_ store: any StateStore) { self.store = store }

    func cut() { isCut.withLock { $0 = true } }
    func mend() { isCut.withLock { $0 = false } }

    func read<Value: Sendable>(
        _ body: @Sendable @escaping (any StateTransaction) throws -> Value
    ) async throws -> Value {
        try check()
        return try await store.read(body)
    }

    func write<Value: Sendable>(
        _ durability: Durability, _ body: @Sendable @escaping (any StateTransaction) throws -> Value
    ) async throws -> Value {
        try check()
        return try await store.write(durability, body)
    }

    func close() async {}

    private func check() throws {
        if isCut.withLock({ $0 }) { throw StateStoreError(.unavailable, "the way is cut") }
    }
}
