// SPDX-License-Identifier: Apache-2.0

import Logging
import Model

/// Brings a database to the schema of this program.
struct Migrator {
    let migrations: [Migration]
    let clock: any WallClock
    let logger: Logger

    /// The newest schema this program knows.
    var newest: Int { migrations.last?.number ?? 0 }

    /// Applies what is missing, each migration in its own transaction. Repeating it does nothing.
    ///
    /// - Parameter transaction: Runs its argument in one write transaction; called once a migration, so that another
    ///   process migrating at the same time is waited for and then seen.
    /// - Throws: `StateStoreError.schema` when the database is newer than this program or a statement fails.
    func run(_ transaction: ((any StateConnection) throws -> Void) throws -> Void) throws {
        try transaction { connection in
            try connection.execute(
                """
                CREATE TABLE IF NOT EXISTS schema_migrations (
                    number INTEGER PRIMARY KEY,
                    name TEXT NOT NULL,
                    applied INTEGER NOT NULL
                ) STRICT
                """,
                []
            )
            try refuseNewer(connection)
        }
        for migration in migrations {
            try transaction { connection in try apply(migration, connection) }
        }
    }

    private func apply(_ migration: Migration, _ connection: any StateConnection) throws {
        try refuseNewer(connection)
        guard try current(connection) < migration.number else { return }
        do {
            for statement in migration.statements { try connection.execute(statement, []) }
        } catch let error as StateStoreError where error.code == .full || error.code == .corrupt {
            throw error
        } catch {
            throw StateStoreError(
                .schema,
                "Migration \(migration.number) (\(migration.name)) failed and left nothing behind; restore the database "
                    + "or run the release that wrote it.",
                cause: error
            )
        }
        try connection.execute(
            "INSERT INTO schema_migrations (number, name, applied) VALUES (?, ?, ?)",
            [SQLValue(migration.number), .text(migration.name), SQLValue(clock.now)]
        )
        logger.info(
            "state database migrated",
            metadata: ["schema.number": "\(migration.number)", "schema.name": "\(migration.name)"]
        )
    }

    private func refuseNewer(_ connection: any StateConnection) throws {
        let number = try current(connection)
        guard number > newest else { return }
        throw StateStoreError(
            .schema,
            "The state database has schema \(number), this program knows schemas up to \(newest); "
                + "run the release that wrote it or a newer one."
        )
    }

    private func current(_ connection: any StateConnection) throws -> Int {
        try connection.first("SELECT COALESCE(MAX(number), 0) FROM schema_migrations", []) { row in
            var reader = RowReader(row)
            return try reader.int()
        } ?? 0
    }
}
