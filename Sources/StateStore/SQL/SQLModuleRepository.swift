// SPDX-License-Identifier: Apache-2.0

import Model

/// Statements on `modules` and `instance_modules`. Placeholders in the order of the comments.
struct ModuleStatements: Sendable {
    /// id, created, then as `save` to md5
    let insert: String
    /// id → the columns of `SQLModuleRepository.record`
    let find: String
    /// → as `find`
    let all: String
    /// project → as `find`
    let ofProject: String
    /// name, type, contents, description, project, datastore, version, auto apply, visible, live update, priority, order, is admin,
    /// md5, updated, id
    let save: String
    /// deleted at, updated, id
    let markDeleted: String
    /// module, marker, limit → instance, md5, updated
    let instances: String
    /// module → md5, number, oldest, newest
    let counts: String
    /// instance, module, md5, created, updated; replaces md5 and updated
    let put: String
    /// instance, module
    let remove: String
}

struct SQLModuleRepository: ModuleRepository {
    let connection: any StateConnection
    let statements: ModuleStatements

    func insert(_ record: ModuleRecord) throws {
        try connection.execute(
            statements.insert,
            [.text(record.id), SQLValue(record.created)] + Self.values(record) + [SQLValue(record.updated)])
    }

    func find(_ id: String) throws -> ModuleRecord? { try connection.first(statements.find, [.text(id)], Self.record) }

    func all(projectID: String?) throws -> [ModuleRecord] {
        guard let projectID else { return try connection.query(statements.all, [], Self.record) }
        return try connection.query(statements.ofProject, [.text(projectID)], Self.record)
    }

    func save(_ record: ModuleRecord, now: Timestamp) throws {
        let changed = try connection.execute(
            statements.save, Self.values(record) + [SQLValue(now), .text(record.id)])
        try requireChange(record.id, changed)
    }

    func markDeleted(_ id: String, now: Timestamp) throws {
        try requireChange(
            id, try connection.execute(statements.markDeleted, [SQLValue(now), SQLValue(now), .text(id)]))
    }

    func instances(_ id: String, after marker: String?, limit: Int) throws -> [ModuleInstance] {
        try connection.query(
            statements.instances, [.text(id), .text(marker ?? ""), SQLValue(max(0, limit))]
        ) { row in
            var reader = RowReader(row)
            return ModuleInstance(id: try reader.text(), md5: try reader.text(), updated: try reader.time())
        }
    }

    func counts(_ id: String) throws -> [ModuleCount] {
        try connection.query(statements.counts, [.text(id)]) { row in
            var reader = RowReader(row)
            return ModuleCount(
                md5: try reader.text(), instances: try reader.int(), oldest: try reader.time(),
                newest: try reader.time())
        }
    }

    func put(_ id: String, instanceID: String, md5: String, now: Timestamp) throws {
        try connection.execute(
            statements.put, [.text(instanceID), .text(id), .text(md5), SQLValue(now), SQLValue(now)])
    }

    func remove(_ id: String, instanceID: String) throws {
        try connection.execute(statements.remove, [.text(instanceID), .text(id)])
    }

    private func requireChange(_ id: String, _ changed: Int) throws {
        if changed == 0 { throw StateStoreError(.notFound, "Module \(id) does not exist.") }
    }

    /// name to md5.
    private static func values(_ record: ModuleRecord) -> [SQLValue] {
        func flag(_ value: Bool) -> SQLValue { .int(value ? 1 : 0) }
        return [
            .text(record.name), .text(record.type), .text(record.contents), SQLValue(record.description),
            SQLValue(record.projectID), SQLValue(record.datastoreID), SQLValue(record.datastoreVersionID),
            flag(record.isAutoApply), flag(record.isVisible), flag(record.isLiveUpdate), flag(record.isPriorityApply),
            SQLValue(record.applyOrder), flag(record.isAdmin), .text(record.md5),
        ]
    }

    /// id, created, updated, name, type, contents, md5, project, description, datastore, version, auto apply, visible, live update,
    /// priority, order, is admin, datastore's name, version's name.
    private static func record(_ row: any StateRow) throws -> ModuleRecord {
        var reader = RowReader(row)
        let (id, created, updated) = (try reader.text(), try reader.time(), try reader.time())
        var record = ModuleRecord(
            id: id, name: try reader.text(), type: try reader.text(), contents: try reader.text(),
            md5: try reader.text(), projectID: try reader.optionalText(), created: created)
        record.updated = updated
        record.description = try reader.optionalText()
        record.datastoreID = try reader.optionalText()
        record.datastoreVersionID = try reader.optionalText()
        record.isAutoApply = try reader.flag()
        record.isVisible = try reader.flag()
        record.isLiveUpdate = try reader.flag()
        record.isPriorityApply = try reader.flag()
        record.applyOrder = try reader.int()
        record.isAdmin = try reader.flag()
        record.datastoreName = try reader.optionalText()
        record.datastoreVersionName = try reader.optionalText()
        return record
    }
}

extension ModuleStatements {
    static let columns = """
        m.id, m.created, m.updated, m.name, m.type, m.contents, m.md5, m.tenant_id, m.description, m.datastore_id, \
        m.datastore_version_id, m.auto_apply, m.visible, m.live_update, m.priority_apply, m.apply_order, m.is_admin, \
        (SELECT d.name FROM datastores d WHERE d.id = m.datastore_id), \
        (SELECT v.name FROM datastore_versions v WHERE v.id = m.datastore_version_id)
        """

    static let insert = """
        INSERT INTO modules (id, created, name, type, contents, description, tenant_id, datastore_id, datastore_version_id,
            auto_apply, visible, live_update, priority_apply, apply_order, is_admin, md5, updated)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
        """

    static let save = """
        UPDATE modules SET name = ?, type = ?, contents = ?, description = ?, tenant_id = ?, datastore_id = ?,
            datastore_version_id = ?, auto_apply = ?, visible = ?, live_update = ?, priority_apply = ?, apply_order = ?,
            is_admin = ?, md5 = ?, updated = ?
        WHERE id = ? AND deleted = 0
        """

    static let markDeleted = "UPDATE modules SET deleted = 1, deleted_at = ?, updated = ? WHERE id = ? AND deleted = 0"
    static let remove = "DELETE FROM instance_modules WHERE instance_id = ? AND module_id = ?"
}
