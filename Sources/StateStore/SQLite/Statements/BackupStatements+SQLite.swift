// SPDX-License-Identifier: Apache-2.0

extension BackupStatements {
    /// A live backup that is being made. Must stay the text of the partial index `backups_running`, or SQLite does not use
    /// it. `INDEXED BY` keeps finished backups, of which an instance may have many, out of the search.
    static let isRunning = "b.deleted = 0 AND b.state IN ('NEW', 'BUILDING', 'SAVING')"

    // CROSS JOIN: see `InstanceStatements`.
    private static let select = """
        SELECT b.id, b.name, b.description, b.tenant_id, b.instance_id, b.parent_id, b.state, b.location, b.size_bytes, \
        b.checksum, b.backup_type, b.datastore_version_id, b.position, b.created, b.updated, b.deleted_at, b.container, \
        d.name, v.name \
        FROM backups b \
        CROSS JOIN datastore_versions v ON v.id = b.datastore_version_id \
        CROSS JOIN datastores d ON d.id = v.datastore_id
        """

    static let sqlite = BackupStatements(
        insert: """
            INSERT INTO backups (id, name, description, tenant_id, instance_id, parent_id, state, location, size_bytes,
                checksum, backup_type, datastore_version_id, position, created, updated, deleted, deleted_at, container)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """,
        find: "\(select) WHERE b.id = ? AND b.deleted = 0",
        page: { filter in
            let conditions = [
                filter.byProject ? "b.tenant_id = ?" : nil,
                filter.byInstance ? "b.instance_id = ?" : nil,
                filter.byDatastore ? "v.datastore_id = ?" : nil,
                "b.deleted = 0",
            ]
            return "\(select) WHERE \(conditions.compactMap(\.self).joined(separator: " AND ")) "
                + "ORDER BY b.updated DESC, b.id DESC LIMIT ? OFFSET ?"
        },
        children: "\(select) WHERE b.parent_id = ? AND b.deleted = 0 ORDER BY b.created, b.id",
        all: "\(select) WHERE b.deleted = 0 ORDER BY b.updated DESC, b.id DESC",
        running: """
            SELECT 1 FROM backups b INDEXED BY backups_running WHERE b.instance_id = ? AND \(isRunning) LIMIT 1
            """,
        update: """
            UPDATE backups
            SET state = COALESCE(?, state), size_bytes = COALESCE(?, size_bytes), checksum = COALESCE(?, checksum),
                location = COALESCE(?, location), position = COALESCE(?, position), updated = ?
            WHERE id = ? AND deleted = 0
            """,
        markDeleted: "UPDATE backups SET deleted = 1, deleted_at = ?, updated = ? WHERE id = ? AND deleted = 0",
        failRunning: "UPDATE backups AS b SET state = ?, updated = ? WHERE b.instance_id = ? AND \(isRunning)"
    )
}
