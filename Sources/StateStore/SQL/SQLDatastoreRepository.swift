// SPDX-License-Identifier: Apache-2.0

import Model

/// Statements on `datastores` and `datastore_versions`. Placeholders in the order of the comments.
struct DatastoreStatements: Sendable {
    /// → id, name, default version id
    let all: String
    /// id, name, id → as `all`, a match by id first
    let find: String
    /// datastore id → id, datastore id, name, number, active (0 or 1), packages, plugins
    let versions: String
    /// → as `versions`
    let allVersions: String
    /// id → as `versions`
    let version: String
    /// id, name, default version id
    let upsert: String
    /// id, datastore id, name, number, active (0 or 1), packages, plugins
    let upsertVersion: String
}

struct SQLDatastoreRepository: DatastoreRepository {
    let connection: any StateConnection
    let statements: DatastoreStatements

    func all() throws -> [DatastoreRecord] {
        try connection.query(statements.all, [], Self.datastore)
    }

    func find(idOrName: String) throws -> DatastoreRecord? {
        let value = SQLValue.text(idOrName)
        return try connection.first(statements.find, [value, value, value], Self.datastore)
    }

    func versions(datastoreID: String) throws -> [DatastoreVersionRecord] {
        try connection.query(statements.versions, [.text(datastoreID)], Self.version)
    }

    func allVersions() throws -> [DatastoreVersionRecord] {
        try connection.query(statements.allVersions, [], Self.version)
    }

    func version(_ id: String) throws -> DatastoreVersionRecord? {
        try connection.first(statements.version, [.text(id)], Self.version)
    }

    func upsert(_ record: DatastoreRecord) throws {
        try connection.execute(
            statements.upsert, [.text(record.id), .text(record.name), SQLValue(record.defaultVersionID)])
    }

    func upsert(_ record: DatastoreVersionRecord) throws {
        try connection.execute(
            statements.upsertVersion,
            [
                .text(record.id), .text(record.datastoreID), .text(record.name), .text(record.number),
                record.isActive ? 1 : 0, .list(record.packages), SQLValue(record.plugins),
            ]
        )
    }

    private static func datastore(_ row: any StateRow) throws -> DatastoreRecord {
        var reader = RowReader(row)
        return DatastoreRecord(
            id: try reader.text(), name: try reader.text(), defaultVersionID: try reader.optionalText())
    }

    private static func version(_ row: any StateRow) throws -> DatastoreVersionRecord {
        var reader = RowReader(row)
        return DatastoreVersionRecord(
            id: try reader.text(), datastoreID: try reader.text(), name: try reader.text(), number: try reader.text(),
            isActive: try reader.flag(), packages: try reader.json().arrayValue?.compactMap(\.stringValue) ?? [],
            plugins: try reader.json()
        )
    }
}
