// SPDX-License-Identifier: Apache-2.0

import Logging
import Model

/// Brings a database on a server to the schema of this program. Blocks.
///
/// A server ends the transaction with every change of the schema, so what keeps two upgrades apart is a row that another
/// connection holds locked meanwhile; it is let go whatever becomes of this program. Each change sees whether it has been
/// made, so that an upgrade that was interrupted goes on where it stopped.
struct MariaDBMigrator {
    let migrations: [MariaDBMigration]
    let flavor: MariaDBFlavor
    let database: String
    let host: DatabaseServer.Host
    let options: MariaDBOptions
    let patience: Duration
    let clock: any WallClock
    let logger: Logger
    /// Called before each change; tests interrupt here.
    var beforeChange: (MariaDBMigration.Change) throws -> Void = { _ in }

    private static let lock = SchemaTable(name: "schema_lock", columns: [.integer("id")], primaryKey: ["id"])
    private static let record = SchemaTable(
        name: "schema_migrations",
        columns: [.integer("number"), .key("name", 255), .integer("applied"), compatibility], primaryKey: ["number"])
    private static let compatibility = SchemaColumn.integer("compatible_from").optional

    /// - Returns: What was applied.
    func run() throws -> [SchemaStatus.Step] {
        let worker = try Worker(host, options, seconds: patience.components.seconds, database)
        for table in [Self.lock, Self.record] { try worker.execute(table.statement(flavor), []) }
        let guardian = try Worker(host, options, seconds: patience.components.seconds, database)
        try take(guardian)
        // Its end would let the row go.
        defer { withExtendedLifetime(guardian) {} }
        // A record that was begun before migrations said who may work on them.
        try make(.addColumn(table: Self.record.name, Self.compatibility), worker)
        let status = try MariaDBSchema.status(worker, migrations, server: "")
        if status.isNewer { throw MariaDBSchema.newer(status, database: database) }
        let missing = Set(status.steps.filter { $0.applied == nil }.map(\.number))
        return try migrations.filter { missing.contains($0.number) }.map { try apply($0, worker) }
    }

    private func take(_ guardian: Worker) throws {
        do {
            try guardian.execute("INSERT INTO schema_lock (id) VALUES (1) ON DUPLICATE KEY UPDATE id = id", [])
            try guardian.execute("START TRANSACTION", [])
            _ = try guardian.query("SELECT id FROM schema_lock WHERE id = 1 FOR UPDATE", []) { _ in true }
        } catch let error as StateStoreError where error.code == .busy {
            throw StateStoreError(
                .busy, "Another 'trove db upgrade' works on the database \(database); wait until it is done.",
                cause: error.cause)
        }
    }

    private func apply(_ migration: MariaDBMigration, _ worker: Worker) throws -> SchemaStatus.Step {
        do {
            for change in migration.changes {
                try beforeChange(change)
                do {
                    try make(change, worker)
                } catch let error as StateStoreError where Self.isMade(error) {
                    continue
                }
            }
            try verify(migration, worker)
        } catch let error as StateStoreError where error.code != .full && !error.isRetryable {
            throw StateStoreError(
                .schema,
                "Migration \(migration.number) (\(migration.name)) failed: \(error.message) What it has done stays; "
                    + "run 'trove db upgrade' again when the reason is gone.",
                cause: error)
        }
        let time = clock.now
        try worker.execute(
            """
            INSERT INTO schema_migrations (number, name, applied, compatible_from) VALUES (?, ?, ?, ?)
            ON DUPLICATE KEY UPDATE number = VALUES(number)
            """,
            [SQLValue(migration.number), .text(migration.name), SQLValue(time), SQLValue(migration.oldestProgram)])
        logger.info(
            "state database migrated",
            metadata: ["schema.number": "\(migration.number)", "schema.name": "\(migration.name)"])
        return SchemaStatus.Step(
            number: migration.number, name: migration.name, applied: time, compatibleFrom: migration.oldestProgram)
    }

    private func make(_ change: MariaDBMigration.Change, _ worker: Worker) throws {
        let found = try FoundSchema(worker)
        switch change {
        case .create(let table):
            if found.tables[table.name] != nil { try require(found.differences(table, flavor)) }
            try worker.execute(table.statement(flavor), [])
        case .addColumn(let table, let column):
            guard found.tables[table]?.columns[column.name] == nil else { return }
            try worker.execute("ALTER TABLE `\(table)` ADD COLUMN \(column.definition)", [])
        case .addIndex(let table, let index):
            guard found.tables[table]?.indexes[index.name] == nil else { return }
            try worker.execute("ALTER TABLE `\(table)` ADD \(index.definition)", [])
        }
    }

    /// Whether somebody else made the change meanwhile: on another member of a cluster, where the lock is not known.
    ///
    /// ER_TABLE_EXISTS_ERROR, ER_DUP_FIELDNAME, ER_DUP_KEYNAME.
    private static func isMade(_ error: StateStoreError) -> Bool {
        [1050, 1060, 1061].contains((error.cause as? MariaDBFailure)?.number)
    }

    private func verify(_ migration: MariaDBMigration, _ worker: Worker) throws {
        let found = try FoundSchema(worker)
        try require(migrations.tables(upTo: migration.number).flatMap { found.differences($0, flavor) })
    }

    /// A table of the same name that was there before, of another program perhaps, is not taken for ours.
    private func require(_ differences: [String]) throws(StateStoreError) {
        guard let first = differences.first else { return }
        throw StateStoreError(.schema, "\(first) Is this the right database?")
    }
}

extension MariaDBMigrator {
    /// A session with autocommit, for changes of the schema: as long as they take, but not longer than `seconds` for locks.
    private final class Worker: StateConnection {
        private let session: MariaDBSession
        private let database: String

        init(
            _ host: DatabaseServer.Host, _ options: MariaDBOptions, seconds: Int64, _ database: String
        ) throws(StateStoreError) {
            self.database = database
            var options = options
            options.statementTimeout = nil
            do throws(MariaDBFailure) {
                session = try MariaDBSession(host, options)
                try session.run(
                    """
                    SET SESSION innodb_lock_wait_timeout = \(max(1, seconds)), lock_wait_timeout = \(max(1, seconds)), \
                    sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION'
                    """)
            } catch {
                throw StateStoreError(error, database: database)
            }
        }

        @discardableResult
        func execute(_ sql: String, _ values: [SQLValue]) throws -> Int {
            try translating {
                guard values.isEmpty else { return try session.execute(sql, values) }
                try session.run(sql)
                return 0
            }
        }

        func query<Value>(
            _ sql: String, _ values: [SQLValue], _ map: (any StateRow) throws -> Value
        ) throws -> [Value] {
            try translating { try session.query(sql, values, map) }
        }

        private func translating<Value>(_ body: () throws -> Value) throws -> Value {
            do {
                return try body()
            } catch let failure as MariaDBFailure {
                throw StateStoreError(failure, database: database)
            }
        }
    }
}
