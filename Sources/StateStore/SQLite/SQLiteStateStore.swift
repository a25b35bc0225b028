// SPDX-License-Identifier: Apache-2.0

import GRDB
import Glibc
package import Logging
package import Model
import Synchronization

/// The state store in one SQLite file, for one host.
///
/// One writing connection on its own queue and up to four reading ones on threads of their own; readers see a snapshot and
/// never wait for the writer (WAL). Bodies run there, never on Swift's cooperative pool. A body is not interrupted when
/// its task is cancelled, so that what a step has done is recorded even while the program stops.
package final class SQLiteStateStore: StateStore {
    private static let readers = 4

    /// Only its writing connection is used.
    private let pool: DatabasePool
    private let threads: ConnectionThreads<SQLiteReader>
    private let clock: any WallClock
    private let logger: Logger
    private let isClosed = Mutex(false)
    /// What `PRAGMA synchronous` of the writing connection is now; touched on its queue alone.
    private let durability = Mutex(Durability.relaxed)

    /// Opens the database, makes it when it is missing, and migrates it. Blocks, so it belongs to start-up.
    ///
    /// - Parameters:
    ///   - path: The file, made 0600; missing directories above it are made 0700. `-wal` and `-shm` lie beside it.
    ///   - clock: The database's clock: dates the migrations and ends leases.
    ///   - logger: Tells about migrations and closing.
    /// - Throws: `.corrupt` for a file that is no database, `.schema` for one newer than this program, `.busy`, `.full`,
    ///   `.unavailable`.
    package convenience init(
        path: String, clock: any WallClock = SystemWallClock(), logger: Logger
    ) throws(StateStoreError) {
        try self.init(
            path: path, clock: clock, logger: logger, migrations: Migration.sqlite, busyTimeout: .seconds(5))
    }

    /// As above with other migrations and another wait for the lock of another process.
    init(
        path: String, clock: any WallClock, logger: Logger, migrations: [Migration], busyTimeout: Duration
    ) throws(StateStoreError) {
        self.clock = clock
        self.logger = logger
        try SQLiteFile.prepare(path, logger: logger)
        do {
            pool = try Self.open(path, busyTimeout: busyTimeout)
            let migrator = Migrator(migrations: migrations, clock: clock, logger: logger)
            try pool.writeWithoutTransaction { database in
                try migrator.run { body in
                    try StateStoreError.translating {
                        try database.inTransaction(.immediate) {
                            try body(SQLiteConnection(database: database))
                            return .commit
                        }
                    }
                }
            }
        } catch let error as StateStoreError {
            throw error
        } catch {
            throw StateStoreError(.unavailable, "The state database \(path) cannot be opened.", cause: error)
        }
        threads = ConnectionThreads(count: Self.readers) { () throws(StateStoreError) in
            try SQLiteReader(path: path, busyTimeout: busyTimeout)
        }
    }

    /// Opens the connections. Turning a new file's log on asks for a lock without waiting for it, so that two programs that
    /// open it at once need another try. Source: "Write-Ahead Logging", sqlite.org.
    private static func open(_ path: String, busyTimeout: Duration) throws -> DatabasePool {
        let deadline = ContinuousClock.now + busyTimeout
        while true {
            do {
                return try StateStoreError.translating {
                    try DatabasePool(path: path, configuration: configuration(busyTimeout: busyTimeout))
                }
            } catch let error as StateStoreError where error.code == .busy && ContinuousClock.now < deadline {
                usleep(10_000)
            }
        }
    }

    private static func configuration(busyTimeout: Duration) -> Configuration {
        var configuration = Configuration()
        configuration.label = "trove.state"
        configuration.foreignKeysEnabled = true
        configuration.busyMode = .timeout(busyTimeout.inSeconds)
        configuration.prepareDatabase { database in
            for pragma in pragmas { try database.execute(sql: pragma) }
            // The log shrinks again after a burst.
            try database.execute(sql: "PRAGMA journal_size_limit = 67108864")
        }
        return configuration
    }

    /// What every connection begins with.
    static let pragmas = [
        // Damage is found when a page is read, not when it has spread.
        "PRAGMA cell_size_check = ON",
        // Functions in a schema that somebody else wrote into the file stay harmless.
        "PRAGMA trusted_schema = OFF",
        "PRAGMA temp_store = MEMORY",
    ]

    package func read<Value: Sendable>(
        _ body: @Sendable @escaping (any StateTransaction) throws -> Value
    ) async throws -> Value {
        try await withReader { [clock] in
            try body(SQLTransaction(connection: $0, statements: .sqlite, time: TransactionTime(clock)))
        }
    }

    package func write<Value: Sendable>(
        _ durability: Durability,
        _ body: @Sendable @escaping (any StateTransaction) throws -> Value
    ) async throws -> Value {
        try await withWriter(durability) { [clock] in
            try body(SQLTransaction(connection: $0, statements: .sqlite, time: TransactionTime(clock)))
        }
    }

    /// Runs `body` on a reading connection, inside a snapshot.
    func withReader<Value: Sendable>(
        _ body: @Sendable @escaping (any StateConnection) throws -> Value
    ) async throws -> Value {
        try requireOpen()
        return try await withCheckedThrowingContinuation { continuation in
            threads.run { reader in
                continuation.resume(with: Result { try reader().snapshot(body) })
            }
        }
    }

    /// Runs `body` on the writing connection, inside a transaction.
    func withWriter<Value: Sendable>(
        _ durability: Durability, _ body: @Sendable @escaping (any StateConnection) throws -> Value
    ) async throws -> Value {
        try requireOpen()
        return try await withCheckedThrowingContinuation { continuation in
            pool.asyncWriteWithoutTransaction { database in
                continuation.resume(with: Result { try self.commit(durability, database, body) })
            }
        }
    }

    private func commit<Value>(
        _ durability: Durability, _ database: Database, _ body: (any StateConnection) throws -> Value
    ) throws -> Value {
        try StateStoreError.translating {
            try set(durability, database)
            var value: Value?
            // IMMEDIATE: a quota is counted and used up under one lock, also against other processes.
            try database.inTransaction(.immediate) {
                value = try body(SQLiteConnection(database: database))
                return .commit
            }
            guard let value else { throw StateStoreError(.unavailable, "The transaction was rolled back.") }
            return value
        }
    }

    /// NORMAL leaves the log unsynchronised at a commit, which a crash of any process survives (the pages are the
    /// kernel's); FULL adds one fsync of the log. The level can change between transactions only. The alternative, an
    /// fsync of the log after a NORMAL commit, lets many commits share one, but a failing one would leave a transaction
    /// committed that its caller was told had failed; under FULL it is rolled back.
    private func set(_ wanted: Durability, _ database: Database) throws {
        guard durability.withLock({ $0 }) != wanted else { return }
        try database.execute(sql: wanted == .durable ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL")
        durability.withLock { $0 = wanted }
    }

    private func requireOpen() throws(StateStoreError) {
        if isClosed.withLock({ $0 }) { throw StateStoreError(.unavailable, "The state store is closed.") }
    }

    deinit { threads.end() }

    /// Waits for what is running, copies the log into the database and closes every connection.
    package func close() async {
        let wasClosed = isClosed.withLock { isClosed in
            defer { isClosed = true }
            return isClosed
        }
        guard !wasClosed else { return }
        // A snapshot that somebody still reads would keep the log from being emptied.
        await withCheckedContinuation { continuation in threads.end { continuation.resume() } }
        await withCheckedContinuation { continuation in
            pool.asyncBarrierWriteWithoutTransaction { [logger] result in
                do {
                    _ = try result.get().checkpoint(.truncate)
                } catch {
                    // The next opening recovers from the log.
                    logger.info("state database was not checkpointed", metadata: ["error": "\(error)"])
                }
                continuation.resume()
            }
        }
        do {
            // Nothing runs any more, so this closes files and does not wait.
            try pool.close()
        } catch {
            logger.info("state database was not closed", metadata: ["error": "\(error)"])
        }
    }
}
