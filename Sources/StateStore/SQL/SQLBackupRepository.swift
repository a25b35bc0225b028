// SPDX-License-Identifier: Apache-2.0

import Model

/// Statements on `backups`. Placeholders in the order of the comments.
struct BackupStatements: Sendable {
    /// Which filters a page has.
    struct Filter: Sendable, Hashable {
        var byProject: Bool
        var byInstance: Bool
        var byDatastore: Bool
    }

    /// id, name, description, project, instance, parent, state, location, size, checksum, type, version id, position,
    /// created, updated, deleted (0 or 1), deleted at, container
    let insert: String
    /// id → the columns of `SQLBackupRepository.record`
    let find: String
    /// those of project, instance, datastore that the filter has, limit, offset → rows
    let page: @Sendable (Filter) -> String
    /// parent → rows
    let children: String
    /// → rows
    let all: String
    /// instance → one row if a backup is running
    let running: String
    /// state, size, checksum, location, position (each NULL to keep), updated, id
    let update: String
    /// deleted at, updated, id
    let markDeleted: String
    /// new state, updated, instance
    let failRunning: String
}

struct SQLBackupRepository: BackupRepository {
    let connection: any StateConnection
    let statements: BackupStatements

    func insert(_ record: BackupRecord) throws {
        try connection.execute(
            statements.insert,
            [
                .text(record.id), .text(record.name), SQLValue(record.description), .text(record.projectID),
                SQLValue(record.instanceID), SQLValue(record.parentID), .text(record.state.rawValue),
                SQLValue(record.location), SQLValue(record.sizeBytes), SQLValue(record.checksum),
                SQLValue(record.backupType), .text(record.datastoreVersionID), SQLValue(record.position),
                SQLValue(record.created), SQLValue(record.updated), record.deleted == nil ? 0 : 1,
                SQLValue(record.deleted), SQLValue(record.container),
            ]
        )
    }

    func find(_ id: String) throws -> BackupRecord? {
        try connection.first(statements.find, [.text(id)], Self.record)
    }

    func page(
        projectID: String?, instanceID: String?, datastoreID: String?, offset: Int, limit: Int
    ) throws -> [BackupRecord] {
        let filter = BackupStatements.Filter(
            byProject: projectID != nil, byInstance: instanceID != nil, byDatastore: datastoreID != nil)
        let values = [projectID, instanceID, datastoreID].compactMap { $0.map(SQLValue.text) }
        return try connection.query(
            statements.page(filter), values + [SQLValue(max(0, limit)), SQLValue(max(0, offset))], Self.record)
    }

    func children(of id: String) throws -> [BackupRecord] {
        try connection.query(statements.children, [.text(id)], Self.record)
    }

    func all() throws -> [BackupRecord] {
        try connection.query(statements.all, [], Self.record)
    }

    func isRunning(instanceID: String) throws -> Bool {
        try connection.first(statements.running, [.text(instanceID)]) { _ in true } ?? false
    }

    func update(
        _ id: String, state: BackupState?, sizeBytes: Int64?, checksum: String?, location: String?,
        position: JSONValue?, now: Timestamp
    ) throws {
        let changed = try connection.execute(
            statements.update,
            [
                SQLValue(state?.rawValue), SQLValue(sizeBytes), SQLValue(checksum), SQLValue(location),
                SQLValue(position), SQLValue(now), .text(id),
            ]
        )
        try requireChange(id, changed)
    }

    func markDeleted(_ id: String, now: Timestamp) throws {
        try requireChange(
            id, try connection.execute(statements.markDeleted, [SQLValue(now), SQLValue(now), .text(id)]))
    }

    func failRunning(instanceID: String, now: Timestamp) throws {
        try connection.execute(
            statements.failRunning, [.text(BackupState.failed.rawValue), SQLValue(now), .text(instanceID)])
    }

    private func requireChange(_ id: String, _ changed: Int) throws {
        if changed == 0 { throw StateStoreError(.notFound, "Backup \(id) does not exist.") }
    }

    /// id, name, description, project, instance, parent, state, location, size, checksum, type, version id, position,
    /// created, updated, deleted at, container, datastore, version name.
    static func record(_ row: any StateRow) throws -> BackupRecord {
        var reader = RowReader(row)
        let id = try reader.text()
        let name = try reader.text()
        let description = try reader.optionalText()
        let projectID = try reader.text()
        let instanceID = try reader.optionalText()
        let parentID = try reader.optionalText()
        let stateText = try reader.text()
        guard let state = BackupState(rawValue: stateText) else {
            throw StateStoreError(
                .corrupt, "Backup \(id) has the state \(stateText), which this program does not know.")
        }
        let location = try reader.optionalText()
        let sizeBytes = try reader.optionalInt()
        let checksum = try reader.optionalText()
        var record = BackupRecord(
            id: id, name: name, description: description, projectID: projectID, instanceID: instanceID,
            parentID: parentID, state: state, backupType: try reader.optionalText(),
            datastoreVersionID: try reader.text(), created: Timestamp(microseconds: 0)
        )
        record.location = location
        record.sizeBytes = sizeBytes.map(Int64.init)
        record.checksum = checksum
        record.position = try reader.optionalJSON()
        record.created = try reader.time()
        record.updated = try reader.time()
        record.deleted = try reader.optionalTime()
        record.container = try reader.optionalText()
        record.datastoreName = try reader.text()
        record.datastoreVersionName = try reader.text()
        return record
    }
}
