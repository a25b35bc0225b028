// SPDX-License-Identifier: Apache-2.0

extension InstanceStatements {
    private static let columns = """
        i.id, i.name, i.tenant_id, i.flavor_id, i.volume_size, i.datastore_version_id, i.created, i.updated, \
        i.deleted_at, i.task_id, i.task_start_time, s.status_id, s.updated_at, s.volume_used, i.compute_instance_id, \
        i.server_status, i.address, i.region_id, i.access, i.plugins, i.version, \
        i.compute_host, i.encrypted_key, i.configuration_id, i.cluster_id, i.shard_id, i.type, i.ssl_mode
        """

    // CROSS JOIN keeps SQLite from reordering: `instances` is always walked by its index, so a page never sorts and never
    // reads more rows than it returns, whatever statistics the file holds. Source: "The SQLite Query Optimizer
    // Overview", §8.2.
    private static let source = """
        FROM instances i CROSS JOIN service_statuses s ON s.instance_id = i.id
        """

    private static let backupIsRunning = """
        EXISTS (SELECT 1 FROM backups b INDEXED BY backups_running \
        WHERE b.instance_id = i.id AND \(BackupStatements.isRunning))
        """

    private static let outlineColumns = """
        i.id, i.name, i.flavor_id, i.volume_size, i.created, i.task_id, s.status_id, i.server_status, s.updated_at, \
        \(backupIsRunning), i.address, i.region_id, i.access, d.name, v.name, i.tenant_id
        """

    private static let outlineSource = """
        \(source) \
        CROSS JOIN datastore_versions v ON v.id = i.datastore_version_id \
        CROSS JOIN datastores d ON d.id = v.datastore_id
        """

    private static let summaryColumns = """
        \(columns), d.name, v.name, v.version, \
        \(backupIsRunning), \
        c.id, c.name, f.message, f.details, f.created, f.updated
        """

    private static let detailColumns = """
        \(outlineColumns), v.version, i.updated, f.message, f.details, f.created, f.updated, c.id, c.name, \
        i.cluster_id, i.shard_id, i.type, i.compute_instance_id, i.encrypted_key IS NOT NULL
        """

    private static let summarySource = """
        \(outlineSource) \
        LEFT JOIN configurations c ON c.id = i.configuration_id \
        LEFT JOIN instance_faults f ON f.instance_id = i.id
        """

    static let sqlite = InstanceStatements(
        insert: """
            INSERT INTO instances (id, name, tenant_id, flavor_id, volume_size, datastore_version_id, created, updated,
                deleted, deleted_at, task_id, task_start_time, compute_instance_id, server_status, address, region_id,
                access, plugins, version, compute_host, encrypted_key,
                configuration_id, cluster_id, shard_id, type, ssl_mode)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """,
        insertService: """
            INSERT INTO service_statuses (instance_id, status_id, status_description, updated_at, volume_used)
            VALUES (?, ?, ?, ?, ?)
            """,
        find: "SELECT \(columns) \(source) WHERE i.id = ? AND i.deleted = 0",
        summary: "SELECT \(summaryColumns) \(summarySource) WHERE i.id = ? AND i.deleted = 0",
        pageOfProject: """
            SELECT \(summaryColumns) \(summarySource)
            WHERE i.tenant_id = ? AND i.deleted = 0 AND i.id > ? AND (? = 1 OR i.cluster_id IS NULL) ORDER BY i.id LIMIT ?
            """,
        pageOfAll: """
            SELECT \(summaryColumns) \(summarySource)
            WHERE i.deleted = 0 AND i.id > ? AND (? = 1 OR i.cluster_id IS NULL) ORDER BY i.id LIMIT ?
            """,
        outlinesOfProject: """
            SELECT \(outlineColumns) \(outlineSource)
            WHERE i.tenant_id = ? AND i.deleted = 0 AND i.id > ? AND (? = 1 OR i.cluster_id IS NULL) ORDER BY i.id LIMIT ?
            """,
        outlinesOfAll: """
            SELECT \(outlineColumns) \(outlineSource)
            WHERE i.deleted = 0 AND i.id > ? AND (? = 1 OR i.cluster_id IS NULL) ORDER BY i.id LIMIT ?
            """,
        detailsOfProject: """
            SELECT \(detailColumns) \(summarySource)
            WHERE i.tenant_id = ? AND i.deleted = 0 AND i.id > ? AND (? = 1 OR i.cluster_id IS NULL) ORDER BY i.id LIMIT ?
            """,
        detailsOfAll: """
            SELECT \(detailColumns) \(summarySource)
            WHERE i.deleted = 0 AND i.id > ? AND (? = 1 OR i.cluster_id IS NULL) ORDER BY i.id LIMIT ?
            """,
        all: "SELECT \(columns) \(source) WHERE i.deleted = 0 ORDER BY i.id",
        setTask: """
            UPDATE instances SET task_id = ?, task_start_time = ?, updated = ?, version = version + 1
            WHERE id = ? AND deleted = 0
            """,
        setTaskExpecting: """
            UPDATE instances SET task_id = ?, task_start_time = ?, updated = ?, version = version + 1
            WHERE id = ? AND deleted = 0 AND task_id IN (SELECT value FROM json_each(?))
            """,
        state: "SELECT task_id, version FROM instances WHERE id = ? AND deleted = 0",
        setName: """
            UPDATE instances SET name = ?, updated = ?, version = version + 1 WHERE id = ? AND deleted = 0
            """,
        setServer: """
            UPDATE instances
            SET compute_instance_id = ?, server_status = ?, address = ?, updated = ?, version = version + 1
            WHERE id = ? AND deleted = 0
            """,
        save: """
            UPDATE instances
            SET name = ?, flavor_id = ?, volume_size = ?, datastore_version_id = ?, task_id = ?, task_start_time = ?,
                compute_instance_id = ?, server_status = ?, address = ?, region_id = ?, access = ?, plugins = ?,
                compute_host = ?, encrypted_key = ?, configuration_id = ?, updated = ?, version = version + 1
            WHERE id = ? AND deleted = 0 AND version = ?
            """,
        setService: """
            UPDATE service_statuses SET status_id = ?, status_description = ?, updated_at = ? WHERE instance_id = ?
            """,
        // 0x05 is DELETED, 0x20 RESTART_REQUIRED: state machine §3.
        serviceStatuses: """
            SELECT s.instance_id, s.status_id
            FROM json_each(?) j CROSS JOIN service_statuses s ON s.instance_id = j.value
            """,
        heartbeats: .each(
            """
            UPDATE service_statuses
            SET status_id = ?, status_description = ?, updated_at = ?, volume_used = COALESCE(?, volume_used)
            WHERE instance_id = ? AND status_id NOT IN (5, 32)
            """),
        markDeleted: """
            UPDATE instances
            SET task_id = ?, task_start_time = NULL, deleted = 1, deleted_at = ?, updated = ?, version = version + 1
            WHERE id = ? AND deleted = 0
            """,
        managed: managed
    )

    private static let managedSelect = "SELECT \(summaryColumns), r.user, r.created"

    private static let managed = ManagedInstanceStatements(
        find: """
            \(managedSelect) \(summarySource) LEFT JOIN root_enabled_history r ON r.id = i.id WHERE i.id = ?
            """,
        page: { filter in
            let index = filter.byProject ? "instances_tenant_changed" : "instances_changed"
            let joined = summarySource.replacing(
                "FROM instances i", with: "CROSS JOIN instances i ON i.id = p.id", maxReplacements: 1)
            return """
                \(managedSelect) FROM (\(ManagedInstanceStatements.ids(filter, "instances INDEXED BY \(index)"))) p \
                \(joined) LEFT JOIN root_enabled_history r ON r.id = i.id ORDER BY i.updated DESC, i.id DESC
                """
        },
        ofHost: """
            SELECT \(summaryColumns) \(summarySource) WHERE i.deleted = 0 AND i.compute_host = ? ORDER BY i.id
            """
    )
}
