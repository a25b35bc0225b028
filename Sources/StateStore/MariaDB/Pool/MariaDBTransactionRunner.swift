// SPDX-License-Identifier: Apache-2.0

import Glibc
import Logging
import Model

/// Runs bodies in transactions and repeats them where that can help. Blocks; called on the connections' threads.
struct MariaDBTransactionRunner: Sendable {
    typealias Slot = ConnectionSlot<MariaDBConnection>

    /// How often a body is run at most.
    static let attempts = 8

    let hosts: MariaDBHosts
    /// Instead of the server's.
    let clock: (any WallClock)?
    let logger: Logger

    /// - Parameter deliver: Called once, before the transaction ends; not called if this throws.
    func read<Value>(
        _ slot: Slot, _ body: (any StateTransaction) throws -> Value, _ deliver: (Value) -> Void
    ) throws {
        try snapshot(slot, { try run(body, on: $0, writing: false) }, deliver)
    }

    /// As `read`, without repositories.
    func snapshot<Value>(
        _ slot: Slot, _ body: (MariaDBConnection) throws -> Value, _ deliver: (Value) -> Void
    ) throws {
        let (value, connection) = try repeated(slot) { connection in (try body(connection), connection) }
        deliver(value)
        do throws(StateStoreError) {
            try connection.commit()
        } catch {
            slot.discard()
        }
    }

    func write<Value>(_ slot: Slot, _ body: (any StateTransaction) throws -> Value) throws -> Value {
        try repeating(slot) { try run(body, on: $0, writing: true) }
    }

    /// Runs `body` in a transaction that may write, without repositories.
    func repeating<Value>(_ slot: Slot, _ body: (MariaDBConnection) throws -> Value) throws -> Value {
        try repeated(slot) { connection in
            try connection.beginWriting()
            let value = try body(connection)
            if connection.failure == nil { try commit(connection) }
            return value
        }
    }

    private func run<Value>(
        _ body: (any StateTransaction) throws -> Value, on connection: MariaDBConnection, writing: Bool
    ) throws -> Value {
        let time = clock.map(TransactionTime.init) ?? TransactionTime { try connection.now }
        return try body(
            SQLTransaction(
                connection: connection, statements: connection.statements(writing: writing), time: time))
    }

    private func commit(_ connection: MariaDBConnection) throws(StateStoreError) {
        do {
            try connection.commit()
        } catch {
            guard connection.failure?.effect == .connection, connection.hasWritten else { throw error }
            throw StateStoreError(
                .unavailable,
                "The connection to the database was lost at a commit; whether what it wrote is stored is unknown.",
                cause: InDoubt())
        }
    }

    /// The cause of an error after which nobody knows what is stored. Repeating would do things twice.
    private struct InDoubt: Error {}

    // MARK: Repeating

    private func repeated<Value>(_ slot: Slot, _ body: (MariaDBConnection) throws -> Value) throws -> Value {
        var attempt = 1
        let start = ContinuousClock.now
        while true {
            let connection = try checkedOut(slot)
            do {
                let value = try body(connection)
                // A body that caught the failure and went on has worked on nothing.
                guard let failure = connection.failure else { return value }
                throw StateStoreError(failure, database: hosts.server.database)
            } catch {
                let failure = connection.failure
                release(connection, slot)
                guard !((error as? StateStoreError)?.cause is InDoubt), let failure, attempt < Self.attempts,
                    repeats(failure, attempt), ContinuousClock.now - start < hosts.options.timeout
                else { throw Self.reported(error, failure, hosts.server.database) }
                if failure.effect == .server { hosts.disqualify(connection) }
                logger.debug(
                    "transaction is repeated", metadata: ["error.code": "\(failure.number)", "attempt": "\(attempt)"])
                Self.pause(attempt)
                attempt += 1
            }
        }
    }

    private func repeats(_ failure: MariaDBFailure, _ attempt: Int) -> Bool {
        switch failure.effect {
        case .statement: false
        case .transaction: true
        // A new connection either works or says at once why there is none.
        case .connection: attempt < 3
        case .server: hosts.server.hosts.count > 1 && attempt < 3
        }
    }

    /// What the body made of a failure that ended its transaction is not the reason.
    private static func reported(_ error: any Error, _ failure: MariaDBFailure?, _ database: String) -> any Error {
        guard let failure, !((error as? StateStoreError)?.cause is InDoubt) else { return error }
        return StateStoreError(failure, database: database)
    }

    private func checkedOut(_ slot: Slot) throws(StateStoreError) -> MariaDBConnection {
        let connection = try slot()
        if hosts.isGood(connection) { return connection }
        slot.discard()
        return try slot()
    }

    /// Undoes what a failed body has begun.
    private func release(_ connection: MariaDBConnection, _ slot: Slot) {
        switch connection.failure?.effect {
        case .connection, .server: slot.discard()
        case .statement, .transaction, nil:
            do throws(StateStoreError) {
                try connection.rollback()
            } catch {
                slot.discard()
            }
        }
    }

    /// Twice as long each time, and half of it by chance, so that two that were in each other's way come apart.
    private static func pause(_ attempt: Int) {
        let longest = 2_000 << min(attempt, 7)
        usleep(UInt32(longest / 2 + Int.random(in: 0...(longest / 2))))
    }
}

extension MariaDBConnection {
    /// The server's clock, UTC.
    var now: Timestamp {
        get throws {
            let sql = "SELECT CAST(UNIX_TIMESTAMP(NOW(6)) * 1000000 AS SIGNED)"
            let time = try first(sql, []) { row in
                var reader = RowReader(row)
                return try reader.time()
            }
            guard let time else { throw StateStoreError(.unavailable, "The database server has no clock.") }
            return time
        }
    }
}
