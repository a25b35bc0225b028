// SPDX-License-Identifier: Apache-2.0

import Model
import Synchronization
import Testing

@testable import StateStore

/// The real state store, which counts the statements that its transactions run.
final class CountingStore: StateStore {
    private final class Count: Sendable {
        let statements = Mutex(0)
    }

    private struct Connection: StateConnection {
        let connection: any StateConnection
        let count: Count

        func execute(_ sql: String, _ values: [SQLValue]) throws -> Int {
            count.statements.withLock { $0 += 1 }
            return try connection.execute(sql, values)
        }

        func query<Value>(
            _ sql: String, _ values: [SQLValue], _ map: (any StateRow) throws -> Value
        ) throws -> [Value] {
            count.statements.withLock { $0 += 1 }
            return try connection.query(sql, values, map)
        }
    }

    /// Of either dialect.
    private enum Inner {
        case sqlite(SQLiteStateStore)
        case mariadb(MariaDBStateStore)
    }

    private let inner: Inner
    private let store: any StateStore
    private let clock: any WallClock
    private let count = Count()

    init(_ store: SQLiteStateStore, clock: any WallClock) {
        inner = .sqlite(store)
        self.store = store
        self.clock = clock
    }

    /// Writes to a server's store are not counted.
    init(_ store: MariaDBStateStore, clock: any WallClock) {
        inner = .mariadb(store)
        self.store = store
        self.clock = clock
    }

    /// Statements since the last call.
    func take() -> Int {
        count.statements.withLock { count in
            defer { count = 0 }
            return count
        }
    }

    func read<Value: Sendable>(
        _ body: @Sendable @escaping (any StateTransaction) throws -> Value
    ) async throws -> Value {
        switch inner {
        case .sqlite(let store):
            try await store.withReader { [count, clock] in
                try body(
                    SQLTransaction(
                        connection: Connection(connection: $0, count: count), statements: .sqlite,
                        time: TransactionTime(clock)))
            }
        case .mariadb(let store):
            try await store.withSnapshot { [count, clock] in
                // A server is asked for its time.
                let time = TransactionTime {
                    count.statements.withLock { $0 += 1 }
                    return clock.now
                }
                return try body(
                    SQLTransaction(
                        connection: Connection(connection: $0, count: count),
                        statements: .mariadb(.mariadb, writing: false), time: time))
            }
        }
    }

    func write<Value: Sendable>(
        _ durability: Durability, _ body: @Sendable @escaping (any StateTransaction) throws -> Value
    ) async throws -> Value {
        guard case .sqlite(let store) = inner else { return try await store.write(durability, body) }
        return try await store.withWriter(durability) { [count, clock] in
            try body(
                SQLTransaction(
                    connection: Connection(connection: $0, count: count), statements: .sqlite,
                    time: TransactionTime(clock)))
        }
    }

    func close() async { await store.close() }
}

extension APIFixture {
    /// The fixture's SQLite store, counted.
    func counting() throws -> CountingStore {
        if let store = store as? MariaDBStateStore { return CountingStore(store, clock: clock) }
        return CountingStore(try #require(store as? SQLiteStateStore), clock: clock)
    }
}

extension CountingStore {
    /// The first column of what a statement finds, uncounted.
    func texts(_ sql: String) async throws -> [String] {
        guard case .sqlite(let store) = inner else { throw StateStoreError(.unavailable, "not a file") }
        return try await store.withReader { connection in try connection.query(sql, []) { $0.text(0) } }
    }
}
