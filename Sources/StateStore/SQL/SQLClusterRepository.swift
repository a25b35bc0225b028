// SPDX-License-Identifier: Apache-2.0

import Model

/// Statements on `clusters` and `instances.cluster_id`. Placeholders in the order of the comments.
struct ClusterStatements: Sendable {
    /// id, name, task, project, version id, configuration, created, updated, deleted (0 or 1), deleted at
    let insert: String
    /// id → the columns of `SQLClusterRepository.record`
    let find: String
    /// project, marker, limit → as `find`
    let page: String
    /// → as `find`
    let all: String
    /// JSON array of cluster ids → cluster id, id, name, type, shard
    let members: String
    /// task, updated, id
    let setTask: String
    /// deleted at, updated, id
    let markDeleted: String
    /// deleted at, updated, id
    let finishDeletion: String

    /// - Parameters:
    ///   - texts: A JSON array in a placeholder, as a subquery.
    ///   - locks: Whether a row that is found by id is locked until the transaction's end.
    static func make(texts: String, locks: Bool) -> ClusterStatements {
        // The names in subqueries: a datastore is not locked with its clusters.
        let select = """
            SELECT c.id, c.name, c.task_id, c.tenant_id, c.datastore_version_id, c.configuration_id, c.created, \
            c.updated, c.deleted_at, \
            (SELECT d.name FROM datastore_versions v JOIN datastores d ON d.id = v.datastore_id \
            WHERE v.id = c.datastore_version_id), \
            (SELECT v.name FROM datastore_versions v WHERE v.id = c.datastore_version_id) \
            FROM clusters c
            """
        let markDeleted = """
            UPDATE clusters SET task_id = 1, deleted = 1, deleted_at = ?, updated = ? WHERE id = ? AND deleted = 0
            """
        return ClusterStatements(
            insert: """
                INSERT INTO clusters (id, name, task_id, tenant_id, datastore_version_id, configuration_id, created,
                    updated, deleted, deleted_at)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                """,
            find: "\(select) WHERE c.id = ?" + (locks ? " FOR UPDATE" : ""),
            page: "\(select) WHERE c.tenant_id = ? AND c.deleted = 0 AND c.id > ? ORDER BY c.id LIMIT ?",
            all: "\(select) ORDER BY c.id",
            members: """
                SELECT cluster_id, id, name, type, shard_id FROM instances
                WHERE cluster_id IN \(texts) AND deleted = 0 ORDER BY id
                """,
            setTask: "UPDATE clusters SET task_id = ?, updated = ? WHERE id = ? AND deleted = 0",
            markDeleted: markDeleted,
            finishDeletion: """
                \(markDeleted) AND task_id = 3
                    AND NOT EXISTS (SELECT 1 FROM instances i WHERE i.cluster_id = clusters.id AND i.deleted = 0)
                """
        )
    }
}

struct SQLClusterRepository: ClusterRepository {
    let connection: any StateConnection
    let statements: ClusterStatements

    func insert(_ record: ClusterRecord) throws {
        try connection.execute(
            statements.insert,
            [
                .text(record.id), .text(record.name), SQLValue(record.task.rawValue), .text(record.projectID),
                .text(record.datastoreVersionID), SQLValue(record.configurationID), SQLValue(record.created),
                SQLValue(record.updated), record.deleted == nil ? 0 : 1, SQLValue(record.deleted),
            ])
    }

    func find(_ id: String) throws -> ClusterRecord? {
        try connection.first(statements.find, [.text(id)], Self.record)
    }

    func page(projectID: String, after marker: String?, limit: Int) throws -> [ClusterRecord] {
        try connection.query(
            statements.page, [.text(projectID), .text(marker ?? ""), SQLValue(max(0, limit))], Self.record)
    }

    func all(isDeleted: Bool?) throws -> [ClusterRecord] {
        try connection.query(statements.all, [], Self.record).filter { record in
            isDeleted.map { $0 == (record.deleted != nil) } ?? true
        }
    }

    func members(of clusterIDs: [String]) throws -> [ClusterMember] {
        guard !clusterIDs.isEmpty else { return [] }
        return try connection.query(statements.members, [.list(clusterIDs)]) { row in
            var reader = RowReader(row)
            return ClusterMember(
                clusterID: try reader.text(), id: try reader.text(), name: try reader.text(),
                type: try reader.optionalText() ?? "member", shardID: try reader.optionalText())
        }
    }

    func setTask(_ id: String, to task: ClusterTask, now: Timestamp) throws {
        try requireChange(
            id, try connection.execute(statements.setTask, [SQLValue(task.rawValue), SQLValue(now), .text(id)]))
    }

    func markDeleted(_ id: String, now: Timestamp) throws {
        try requireChange(
            id, try connection.execute(statements.markDeleted, [SQLValue(now), SQLValue(now), .text(id)]))
    }

    func finishDeletion(_ id: String, now: Timestamp) throws {
        try connection.execute(statements.finishDeletion, [SQLValue(now), SQLValue(now), .text(id)])
    }

    private func requireChange(_ id: String, _ changed: Int) throws {
        if changed == 0 { throw StateStoreError(.notFound, "Cluster \(id) does not exist.") }
    }

    /// id, name, task, project, version id, configuration, created, updated, deleted at, datastore, version name.
    private static func record(_ row: any StateRow) throws -> ClusterRecord {
        var reader = RowReader(row)
        let (id, name, code) = (try reader.text(), try reader.text(), try reader.int())
        guard let task = ClusterTask(rawValue: code) else {
            throw StateStoreError(.corrupt, "Cluster \(id) has the task \(code), which this program does not know.")
        }
        var record = ClusterRecord(
            id: id, name: name, projectID: try reader.text(), datastoreVersionID: try reader.text(), task: task,
            configurationID: try reader.optionalText(), created: try reader.time())
        record.updated = try reader.time()
        record.deleted = try reader.optionalTime()
        record.datastoreName = try reader.optionalText() ?? ""
        record.datastoreVersionName = try reader.optionalText() ?? ""
        return record
    }
}
