// SPDX-License-Identifier: Apache-2.0

/// Statements on `datastore_configuration_parameters`. Placeholders in the order of the comments.
struct ParameterStatements: Sendable {
    /// version id → id, version id, name, restart required (0 or 1), type, maximum, minimum
    let all: String
    /// version id, name → as `all`
    let find: String
    /// id, version id, name, restart required (0 or 1), type, maximum, minimum
    let insert: String
    /// restart required (0 or 1), type, maximum, minimum, version id, name
    let update: String
    /// version id, name
    let remove: String

    private static let columns = "id, datastore_version_id, name, restart_required, data_type, max_size, min_size"
    private static let table = "datastore_configuration_parameters"

    /// Every dialect has these.
    static let common = ParameterStatements(
        all: "SELECT \(columns) FROM \(table) WHERE datastore_version_id = ? ORDER BY name",
        find: "SELECT \(columns) FROM \(table) WHERE datastore_version_id = ? AND name = ?",
        insert: "INSERT INTO \(table) (\(columns)) VALUES (?, ?, ?, ?, ?, ?, ?)",
        update: """
            UPDATE \(table) SET restart_required = ?, data_type = ?, max_size = ?, min_size = ?
            WHERE datastore_version_id = ? AND name = ?
            """,
        remove: "DELETE FROM \(table) WHERE datastore_version_id = ? AND name = ?"
    )
}

struct SQLParameterRepository: ParameterRepository {
    let connection: any StateConnection
    let statements: ParameterStatements

    func all(datastoreVersionID: String) throws -> [ParameterRecord] {
        try connection.query(statements.all, [.text(datastoreVersionID)], Self.record)
    }

    func find(datastoreVersionID: String, name: String) throws -> ParameterRecord? {
        try connection.first(statements.find, [.text(datastoreVersionID), .text(name)], Self.record)
    }

    func insert(_ record: ParameterRecord) throws {
        try connection.execute(
            statements.insert,
            [
                .text(record.id), .text(record.datastoreVersionID), .text(record.name),
                record.isRestartRequired ? 1 : 0, .text(record.dataType), SQLValue(record.maximum),
                SQLValue(record.minimum),
            ])
    }

    func update(_ record: ParameterRecord) throws -> Bool {
        try connection.execute(
            statements.update,
            [
                record.isRestartRequired ? 1 : 0, .text(record.dataType), SQLValue(record.maximum),
                SQLValue(record.minimum), .text(record.datastoreVersionID), .text(record.name),
            ]) > 0
    }

    func remove(datastoreVersionID: String, name: String) throws -> Bool {
        try connection.execute(statements.remove, [.text(datastoreVersionID), .text(name)]) > 0
    }

    private static func record(_ row: any StateRow) throws -> ParameterRecord {
        var reader = RowReader(row)
        return ParameterRecord(
            id: try reader.text(), datastoreVersionID: try reader.text(), name: try reader.text(),
            isRestartRequired: try reader.flag(), dataType: try reader.text(), maximum: try reader.optionalInt(),
            minimum: try reader.optionalInt())
    }
}
