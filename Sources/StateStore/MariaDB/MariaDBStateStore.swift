// SPDX-License-Identifier: Apache-2.0

import Logging
import Model
import Synchronization

/// The state store on a MariaDB or MySQL server, or on a Galera cluster of them.
///
/// A bounded pool of connections, each on a thread of its own. Reads see one snapshot (REPEATABLE READ, read-only); writes
/// run READ COMMITTED, lock the rows they find by id, and are repeated when other transactions were in the way or the
/// connection was lost before the commit. How much a commit survives is the server's to decide, for `.relaxed` and
/// `.durable` alike: `innodb_flush_log_at_trx_commit = 1` makes both survive a power cut.
///
/// The schema is not touched here: `MariaDBSchema`.
final class MariaDBStateStore: StateStore {
    /// How long a connection may lie unused before it is asked whether it is still good.
    static let idleLimit = Duration.seconds(5)

    private let threads: ConnectionThreads<MariaDBConnection>
    private let hosts: MariaDBHosts
    private let runner: MariaDBTransactionRunner
    private let timeout: Duration
    private let logger: Logger
    private let isClosed = Mutex(false)

    /// Opens nothing yet.
    ///
    /// - Parameter clock: Instead of the server's, for tests.
    init(
        _ configuration: StateStoreConfiguration, _ server: DatabaseServer, clock: (any WallClock)?, logger: Logger
    ) {
        let hosts = MariaDBHosts(configuration, server, logger: logger)
        self.hosts = hosts
        runner = MariaDBTransactionRunner(hosts: hosts, clock: clock, logger: logger)
        timeout = configuration.timeout
        self.logger = logger
        let size = min(max(1, configuration.poolSize), 256)
        threads = ConnectionThreads(count: size, limit: size * 128) { () throws(StateStoreError) in
            try hosts.connect()
        }
    }

    /// Connects, and makes sure that this program may work with the schema.
    ///
    /// - Throws: `.schema` naming `trove db upgrade`, or the newer release that wrote it; `.unavailable`.
    func prepare(_ schema: MariaDBSchema) async throws(StateStoreError) {
        do {
            let facts = try await withConnection { connection in
                try schema.requireUsable(connection)
                return connection.facts
            }
            guard !facts.isDurable else { return }
            logger.notice(
                "the database server does not write every commit to its disk; innodb_flush_log_at_trx_commit = 1 does",
                metadata: ["database.version": "\(facts.version)"])
        } catch let error as StateStoreError {
            throw error
        } catch {
            throw StateStoreError(.unavailable, "The state store cannot be opened.", cause: error)
        }
    }

    func read<Value: Sendable>(
        _ body: @Sendable @escaping (any StateTransaction) throws -> Value
    ) async throws -> Value {
        try await onThread { [runner] slot, deliver in
            // The reader has its answer before the transaction ends: nothing hangs on how it does.
            try runner.read(slot, body, deliver)
        }
    }

    func write<Value: Sendable>(
        _ durability: Durability,
        _ body: @Sendable @escaping (any StateTransaction) throws -> Value
    ) async throws -> Value {
        try await onThread { [runner] slot, deliver in deliver(try runner.write(slot, body)) }
    }

    /// Runs `body` on a connection in a transaction that writes, for what no repository does.
    func withConnection<Value: Sendable>(
        _ body: @Sendable @escaping (MariaDBConnection) throws -> Value
    ) async throws -> Value {
        try await onThread { [runner] slot, deliver in
            deliver(try runner.repeating(slot, body))
        }
    }

    /// Runs `body` on a connection that reads one snapshot, for what no repository does.
    func withSnapshot<Value: Sendable>(
        _ body: @Sendable @escaping (any StateConnection) throws -> Value
    ) async throws -> Value {
        try await onThread { [runner] slot, deliver in try runner.snapshot(slot, body, deliver) }
    }

    /// - Parameter work: Calls its second argument once, or throws before it has.
    private func onThread<Value: Sendable>(
        _ work: @Sendable @escaping (ConnectionSlot<MariaDBConnection>, (Value) -> Void) throws -> Void
    ) async throws -> Value {
        let deadline = ContinuousClock.now + timeout
        return try await withCheckedThrowingContinuation { continuation in
            threads.run { slot in
                do {
                    guard ContinuousClock.now < deadline else {
                        throw StateStoreError(.busy, "No connection of the state store became free in time.")
                    }
                    try work(slot) { continuation.resume(returning: $0) }
                } catch {
                    continuation.resume(throwing: error)
                }
            }
        }
    }

    deinit { threads.end() }

    /// Waits for what is running and for what waits already.
    func close() async {
        let wasClosed = isClosed.withLock { isClosed in
            defer { isClosed = true }
            return isClosed
        }
        guard !wasClosed else { return }
        await withCheckedContinuation { continuation in threads.end { continuation.resume() } }
    }
}
