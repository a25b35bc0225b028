// SPDX-License-Identifier: Apache-2.0

import GRDB
import Glibc
import Logging
import Model

/// The schema of one SQLite file. Its methods block, so they belong to an operator's command.
struct SQLiteSchema: SchemaAdministration {
    let path: String
    let clock: any WallClock
    let logger: Logger
    var migrations = Migration.sqlite

    func status() async throws -> SchemaStatus {
        var applied: [Int: SchemaStatus.Step] = [:]
        for step in try read({ try Self.applied($0) }) ?? [] { applied[step.number] = step }
        for migration in migrations where applied[migration.number] == nil {
            applied[migration.number] = SchemaStatus.Step(
                number: migration.number, name: migration.name, applied: nil)
        }
        return SchemaStatus(
            server: path, steps: applied.values.sorted { $0.number < $1.number },
            newest: migrations.last?.number ?? 0)
    }

    func upgrade() async throws -> [SchemaStatus.Step] {
        let before = Set(try await status().steps.filter { $0.applied != nil }.map(\.number))
        let store = try SQLiteStateStore(
            path: path, clock: clock, logger: logger, migrations: migrations, busyTimeout: .seconds(5))
        await store.close()
        return try await status().steps.filter { !before.contains($0.number) }
    }

    func check() async throws -> [String] {
        let current = try await status().current
        guard current > 0 else { return ["There is no schema in \(path)."] }
        let expected = try expected(current)
        let found = try read(Self.objects) ?? [:]
        return Set(expected.keys).union(found.keys).sorted().compactMap { name in
            switch (expected[name], found[name]) {
            case (_?, nil): "\(name) is missing."
            case (nil, _?): "\(name) is not part of the schema."
            case (let expected?, let found?) where expected != found:
                "\(name) is not as expected: it is '\(found)', not '\(expected)'."
            default: nil
            }
        }
    }

    /// nil without a file.
    private func read<Value>(_ body: (any StateConnection) throws -> Value) throws -> Value? {
        guard access(path, F_OK) == 0 else { return nil }
        return try SQLiteReader(path: path, busyTimeout: .seconds(5)).snapshot(body)
    }

    private static func applied(_ connection: any StateConnection) throws -> [SchemaStatus.Step] {
        guard try objects(connection)["table schema_migrations"] != nil else { return [] }
        return try connection.query("SELECT number, name, applied FROM schema_migrations ORDER BY number", []) { row in
            var reader = RowReader(row)
            return SchemaStatus.Step(
                number: try reader.int(), name: try reader.text(), applied: try reader.time())
        }
    }

    /// What the migrations up to `current` make.
    private func expected(_ current: Int) throws -> [String: String] {
        let database = try StateStoreError.translating { try DatabaseQueue() }
        return try database.writeWithoutTransaction { database in
            let migrator = Migrator(
                migrations: migrations.filter { $0.number <= current }, clock: clock,
                logger: Logger(label: "trove.schema") { _ in SwiftLogNoOpLogHandler() })
            let connection = SQLiteConnection(database: database)
            try migrator.run { body in try body(connection) }
            return try Self.objects(connection)
        }
    }

    /// Kind and name of everything that the schema has, with its statement.
    private static func objects(_ connection: any StateConnection) throws -> [String: String] {
        let rows = try connection.query(
            "SELECT type, name, COALESCE(sql, '') FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%'", []
        ) { row in
            var reader = RowReader(row)
            let type = try reader.text()
            let name = try reader.text()
            let words = try reader.text().split(whereSeparator: \.isWhitespace)
            return (type + " " + name, words.joined(separator: " "))
        }
        return Dictionary(rows) { _, last in last }
    }
}
