// SPDX-License-Identifier: Apache-2.0

import Model

/// Statements on `datastores` and `datastore_versions`. Placeholders in the order of the comments.
struct DatastoreStatements: Sendable {
    /// → id, name, default version id
    let all: String
    /// id, name, id → as `all`, a match by id first
    let find: String
    /// datastore id → id, datastore id, name, number, active (0 or 1), packages, plugins, manager, image, image tags by
    /// commas or NULL, registry extension, replication strategy, source file
    let versions: String
    /// → as `versions`
    let allVersions: String
    /// id → as `versions`
    let version: String
    /// id, name, default version id
    let upsert: SQLUpsert
    /// The columns of `versions`
    let upsertVersion: SQLUpsert
    /// id, id, id → whether live instances, backups and configuration groups have it (0 or 1 each)
    let users: String
    /// id
    let removeVersion: String
    /// version id
    let clearDefault: String
    /// id
    let remove: String
    /// name → id
    let removed: String
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
        try connection.upsert(
            statements.upsert, [.text(record.id), .text(record.name), SQLValue(record.defaultVersionID)])
    }

    func upsert(_ record: DatastoreVersionRecord) throws {
        try connection.upsert(
            statements.upsertVersion,
            [
                .text(record.id), .text(record.datastoreID), .text(record.name), .text(record.number),
                record.isActive ? 1 : 0, .list(record.packages), SQLValue(record.plugins), SQLValue(record.manager),
                SQLValue(record.imageID),
                record.imageTags.isEmpty ? .null : .text(record.imageTags.joined(separator: ",")),
                SQLValue(record.registryExtension), SQLValue(record.replicationStrategy), SQLValue(record.sourceFile),
            ]
        )
    }

    func users(ofVersion id: String) throws -> DatastoreVersionUse {
        try connection.first(statements.users, [.text(id), .text(id), .text(id)]) { row in
            var reader = RowReader(row)
            return DatastoreVersionUse(
                instances: try reader.flag(), backups: try reader.flag(), configurations: try reader.flag())
        } ?? DatastoreVersionUse()
    }

    func removeVersion(_ id: String) throws {
        guard try connection.execute(statements.removeVersion, [.text(id)]) > 0 else {
            throw StateStoreError(.notFound, "Datastore version \(id) does not exist.")
        }
        try connection.execute(statements.clearDefault, [.text(id)])
    }

    func remove(_ id: String) throws {
        guard try connection.execute(statements.remove, [.text(id)]) > 0 else {
            throw StateStoreError(.notFound, "Datastore \(id) does not exist.")
        }
    }

    func removedID(name: String) throws -> String? {
        try connection.first(statements.removed, [.text(name)]) { row in
            var reader = RowReader(row)
            return try reader.text()
        }
    }

    private static func datastore(_ row: any StateRow) throws -> DatastoreRecord {
        var reader = RowReader(row)
        return DatastoreRecord(
            id: try reader.text(), name: try reader.text(), defaultVersionID: try reader.optionalText())
    }

    private static func version(_ row: any StateRow) throws -> DatastoreVersionRecord {
        var reader = RowReader(row)
        var version = DatastoreVersionRecord(
            id: try reader.text(), datastoreID: try reader.text(), name: try reader.text(), number: try reader.text(),
            isActive: try reader.flag(), packages: try reader.json().arrayValue?.compactMap(\.stringValue) ?? [],
            plugins: try reader.json()
        )
        version.manager = try reader.optionalText()
        version.imageID = try reader.optionalText()
        version.imageTags = try reader.optionalText()?.split(separator: ",").map(String.init) ?? []
        version.registryExtension = try reader.optionalText()
        version.replicationStrategy = try reader.optionalText()
        version.sourceFile = try reader.optionalText()
        return version
    }
}
