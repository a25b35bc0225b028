// SPDX-License-Identifier: Apache-2.0

extension BackupStatements {
    private static let columns = """
        b.id, b.name, b.description, b.tenant_id, b.instance_id, b.parent_id, b.state, b.location, b.size_bytes, \
        b.checksum, b.backup_type, b.datastore_version_id, b.position, b.created, b.updated, b.deleted_at, b.container
        """

    /// See `InstanceStatements` for why every join is told its way.
    private static func select(_ index: String) -> String {
        """
        SELECT \(columns), d.name, v.name \
        FROM backups b FORCE INDEX (\(index)) \
        STRAIGHT_JOIN datastore_versions v FORCE INDEX (PRIMARY) ON v.id = b.datastore_version_id \
        STRAIGHT_JOIN datastores d FORCE INDEX (PRIMARY) ON d.id = v.datastore_id
        """
    }

    /// The names in subqueries: a datastore is not locked with its backups.
    private static let lockingSelect = """
        SELECT \(columns), \
        (SELECT d.name FROM datastore_versions v JOIN datastores d ON d.id = v.datastore_id \
        WHERE v.id = b.datastore_version_id), \
        (SELECT v.name FROM datastore_versions v WHERE v.id = b.datastore_version_id) \
        FROM backups b
        """

    static func mariadb(locks: Bool) -> BackupStatements {
        BackupStatements(
            insert: """
                INSERT INTO backups (id, name, description, tenant_id, instance_id, parent_id, state, location,
                    size_bytes, checksum, backup_type, datastore_version_id, position, created, updated, deleted,
                    deleted_at, container)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                """,
            find: "\(locks ? lockingSelect : select("PRIMARY")) WHERE b.id = ? AND b.deleted = 0"
                + (locks ? " FOR UPDATE" : ""),
            page: { filter in
                let index =
                    filter.byInstance ? "backups_instance" : filter.byProject ? "backups_tenant" : "backups_live"
                let conditions = [
                    filter.byProject ? "b.tenant_id = ?" : nil,
                    filter.byInstance ? "b.instance_id = ?" : nil,
                    filter.byDatastore ? "v.datastore_id = ?" : nil,
                    "b.deleted = 0",
                ]
                return "\(select(index)) WHERE \(conditions.compactMap(\.self).joined(separator: " AND ")) "
                    + "ORDER BY b.updated DESC, b.id DESC LIMIT ? OFFSET ?"
            },
            children: "\(select("backups_parent")) WHERE b.parent_id = ? AND b.deleted = 0 ORDER BY b.created, b.id",
            all: "\(select("backups_live")) WHERE b.deleted = 0 ORDER BY b.updated DESC, b.id DESC",
            running: "SELECT 1 FROM backups WHERE instance_id = ? AND running = 1 LIMIT 1",
            update: """
                UPDATE backups
                SET state = COALESCE(?, state), size_bytes = COALESCE(?, size_bytes),
                    checksum = COALESCE(?, checksum), location = COALESCE(?, location),
                    position = COALESCE(?, position), updated = ?
                WHERE id = ? AND deleted = 0
                """,
            markDeleted: "UPDATE backups SET deleted = 1, deleted_at = ?, updated = ? WHERE id = ? AND deleted = 0",
            failRunning: "UPDATE backups SET state = ?, updated = ? WHERE instance_id = ? AND running = 1"
        )
    }
}
