// SPDX-License-Identifier: Apache-2.0

import Logging
import Model

/// The schema on a database server.
struct MariaDBSchema: SchemaAdministration {
    let configuration: StateStoreConfiguration
    let server: DatabaseServer
    let clock: any WallClock
    let logger: Logger
    var migrations = MariaDBMigration.all
    /// How long another upgrade is waited for.
    var patience = Duration.seconds(60)

    init(
        _ configuration: StateStoreConfiguration, _ server: DatabaseServer, clock: any WallClock = SystemWallClock(),
        logger: Logger
    ) {
        self.configuration = configuration
        self.server = server
        self.clock = clock
        self.logger = logger
    }

    func status() async throws -> SchemaStatus {
        try await onThread { connection in
            let product = connection.facts.flavor == .mariadb ? "MariaDB" : "MySQL"
            let host = server.hosts[connection.hostIndex]
            return try Self.status(
                connection, migrations,
                server: "\(product) \(connection.facts.version), \(host)/\(server.database)")
        }
    }

    func upgrade() async throws -> [SchemaStatus.Step] {
        try await onThread { connection in
            let migrator = MariaDBMigrator(
                migrations: migrations, flavor: connection.facts.flavor, database: server.database,
                host: server.hosts[connection.hostIndex], options: options, patience: patience, clock: clock,
                logger: logger)
            return try migrator.run()
        }
    }

    func check() async throws -> [String] {
        try await onThread { connection in
            let current = try Self.status(connection, migrations, server: "").current
            guard current > 0 else { return ["There is no schema in the database \(server.database)."] }
            let found = try FoundSchema(connection)
            return migrations.tables(upTo: current).flatMap { found.differences($0, connection.facts.flavor) }
        }
    }

    /// Whether a program may work with what is there: its own schema, or a newer one that lets it go on until it is replaced too.
    ///
    /// - Throws: `.schema` naming `trove db upgrade`, or the newer release that wrote it.
    func requireUsable(_ connection: any StateConnection) throws {
        let status = try Self.status(connection, migrations, server: "")
        if status.isUsable {
            guard status.isNewer else { return }
            return logger.notice(
                "the schema is of a newer release, which lets this one go on; replace this program too",
                metadata: ["schema.number": "\(status.current)", "schema.newest": "\(status.newest)"])
        }
        if status.isNewer { throw Self.newer(status, database: server.database) }
        guard status.isComplete else {
            let missing = status.steps.filter { $0.applied == nil }
            throw StateStoreError(
                .schema,
                "The database \(server.database) has schema \(status.current), this program needs schema "
                    + "\(status.newest) (\(missing.map(\.name).joined(separator: ", ")) missing); run 'trove db upgrade'."
            )
        }
    }

    static func newer(_ status: SchemaStatus, database: String) -> StateStoreError {
        StateStoreError(
            .schema,
            "The database \(database) has schema \(status.current), this program knows schemas up to \(status.newest); "
                + "run the release that wrote it or a newer one."
        )
    }

    static func status(
        _ connection: any StateConnection, _ migrations: [MariaDBMigration], server: String
    ) throws -> SchemaStatus {
        let columns = try connection.query(
            """
            SELECT column_name FROM information_schema.columns
            WHERE table_schema = DATABASE() AND table_name = 'schema_migrations'
            """, []
        ) { $0.text(0) }
        var steps: [Int: SchemaStatus.Step] = [:]
        if !columns.isEmpty {
            let known = columns.contains("compatible_from") ? "compatible_from" : "NULL"
            let rows = try connection.query("SELECT number, name, applied, \(known) FROM schema_migrations", []) {
                row in
                var reader = RowReader(row)
                return SchemaStatus.Step(
                    number: try reader.int(), name: try reader.text(), applied: try reader.time(),
                    compatibleFrom: try reader.optionalInt())
            }
            for row in rows { steps[row.number] = row }
        }
        for migration in migrations where steps[migration.number] == nil {
            steps[migration.number] = SchemaStatus.Step(
                number: migration.number, name: migration.name, applied: nil)
        }
        return SchemaStatus(
            server: server, steps: steps.values.sorted { $0.number < $1.number },
            newest: migrations.last?.number ?? 0)
    }

    private var options: MariaDBOptions { MariaDBOptions(configuration, server) }

    /// Runs `body` on a thread with a connection to the first host that takes transactions.
    private func onThread<Value: Sendable>(
        _ body: @Sendable @escaping (MariaDBConnection) throws -> Value
    ) async throws -> Value {
        // What goes wrong is thrown.
        let silent = Logger(label: logger.label) { _ in SwiftLogNoOpLogHandler() }
        let hosts = MariaDBHosts(configuration, server, logger: silent)
        return try await withCheckedThrowingContinuation { continuation in
            let isStarted = PosixThread.start {
                continuation.resume(with: Result { try body(try hosts.connect()) })
            }
            if !isStarted {
                continuation.resume(throwing: StateStoreError(.unavailable, "The system has no thread left."))
            }
        }
    }
}
