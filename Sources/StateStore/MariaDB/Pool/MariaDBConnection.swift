// SPDX-License-Identifier: Apache-2.0

import Model

/// A session that transactions of the state store run on. Stays on the thread that made it.
///
/// Autocommit is off: the first statement begins a transaction. It reads one snapshot unless `beginWriting` was called.
/// After a failure that ends the transaction every further statement fails the same way, so that a body which goes on
/// regardless commits nothing.
final class MariaDBConnection: StateConnection {
    private enum Mode { case reading, writing }

    /// The host's place among those configured.
    let hostIndex: Int
    /// The host's, at the time of connecting.
    let epoch: Int
    let facts: MariaDBFacts
    private let session: MariaDBSession
    private let database: String
    private var mode = Mode.reading
    /// Why the transaction cannot go on.
    private(set) var failure: MariaDBFailure?
    /// Whether the transaction has changed anything.
    private(set) var hasWritten = false
    private(set) var lastUse = ContinuousClock.now
    private(set) var lastCheck = ContinuousClock.now

    /// Connects and sets the session up.
    ///
    /// - Throws: also for a server of a kind or age that this driver does not work with, and for a read-only one if
    ///   `refusingReadOnly`.
    init(
        _ host: DatabaseServer.Host, _ index: Int, _ epoch: Int, _ options: MariaDBOptions, refusingReadOnly: Bool
    ) throws(MariaDBFailure) {
        let session = try MariaDBSession(host, options)
        let lockWait = max(1, options.timeout.components.seconds / 2)
        // Times are UTC, a value that does not fit is an error, an identifier is never quoted with '"'.
        try session.run(
            """
            SET SESSION autocommit = 0, time_zone = '+00:00', innodb_lock_wait_timeout = \(lockWait), \
            sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION,ERROR_FOR_DIVISION_BY_ZERO'
            """)
        try session.run("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        facts = try MariaDBFacts(session)
        // The locks of a process that hangs within a transaction are given back before those who wait for them give up.
        if facts.flavor == .mariadb {
            try session.run("SET SESSION idle_transaction_timeout = \(max(1, lockWait * 2 / 3))")
        }
        if let reason = facts.refusal { throw MariaDBFailure(number: 0, text: reason) }
        if refusingReadOnly, facts.isReadOnly { throw MariaDBFailure(number: 1836, text: "read-only") }
        // A member of a cluster answers only when it has seen what the others committed before.
        if facts.isClusterMember { try session.run("SET SESSION wsrep_sync_wait = 1") }
        self.session = session
        database = options.database
        hostIndex = index
        self.epoch = epoch
    }

    /// The statements of this server, for bodies that write or not.
    func statements(writing: Bool) -> StatementSet { .mariadb(facts.flavor, writing: writing) }

    // MARK: Transactions

    /// Sets what the next statement begins; a reading transaction needs no word.
    func beginWriting() throws(StateStoreError) {
        try control("SET TRANSACTION ISOLATION LEVEL READ COMMITTED, READ WRITE")
        mode = .writing
    }

    func commit() throws(StateStoreError) {
        try control("COMMIT")
        reset()
    }

    func rollback() throws(StateStoreError) {
        failure = nil
        try control("ROLLBACK")
        reset()
    }

    private func reset() {
        mode = .reading
        failure = nil
        hasWritten = false
        lastUse = .now
    }

    /// Whether the server is there and takes what it took when it was connected to.
    func check() -> Bool {
        guard let isReadOnly = try? MariaDBFacts.isReadOnly(session) else { return false }
        lastUse = .now
        lastCheck = .now
        return isReadOnly == facts.isReadOnly
    }

    private func control(_ sql: String) throws(StateStoreError) {
        do throws(MariaDBFailure) {
            try session.run(sql)
        } catch {
            throw remembered(error)
        }
    }

    // MARK: Statements

    @discardableResult
    func execute(_ sql: String, _ values: [SQLValue]) throws -> Int {
        guard mode == .writing else {
            throw StateStoreError(.unavailable, "A transaction that only reads cannot write.")
        }
        // As SQLite's tables do: no text of the database has a zero byte.
        for case .text(let text) in values where text.utf8.contains(0) {
            throw StateStoreError(.conflict, "A text with a zero byte cannot be stored.")
        }
        hasWritten = true
        return try translating { try session.execute(sql, values) }
    }

    func query<Value>(_ sql: String, _ values: [SQLValue], _ map: (any StateRow) throws -> Value) throws -> [Value] {
        try translating { try session.query(sql, values, map) }
    }

    private func translating<Value>(_ body: () throws -> Value) throws -> Value {
        if let failure { throw StateStoreError(failure, database: database) }
        do {
            return try body()
        } catch let error as MariaDBFailure {
            throw remembered(error)
        }
    }

    private func remembered(_ error: MariaDBFailure) -> StateStoreError {
        if error.effect != .statement { failure = error }
        return StateStoreError(error, database: database)
    }
}
