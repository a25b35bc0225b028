// SPDX-License-Identifier: Apache-2.0

extension InstanceStatements {
    private static let ownColumns = """
        i.id, i.name, i.tenant_id, i.flavor_id, i.volume_size, i.datastore_version_id, i.created, i.updated, \
        i.deleted_at, i.task_id, i.task_start_time
        """

    private static let otherColumns = """
        i.compute_instance_id, i.server_status, i.address, i.region_id, i.access, i.plugins, i.version, \
        i.compute_host, i.encrypted_key, i.configuration_id, i.cluster_id, i.shard_id, i.type, i.ssl_mode
        """

    private static let columns = "\(ownColumns), s.status_id, s.updated_at, s.volume_used, \(otherColumns)"

    /// The service status in subqueries: those rows are read and not locked, and a heartbeat does not wait.
    private static let lockingColumns =
        ownColumns + ", "
        + ["status_id", "updated_at", "volume_used"].map { column in
            "(SELECT s.\(column) FROM service_statuses s WHERE s.instance_id = i.id)"
        }.joined(separator: ", ") + ", \(otherColumns)"

    private static let backupIsRunning = """
        EXISTS (SELECT 1 FROM backups b FORCE INDEX (backups_running) WHERE b.instance_id = i.id AND b.running = 1)
        """

    private static let outlineColumns = """
        i.id, i.name, i.flavor_id, i.volume_size, i.created, i.task_id, s.status_id, i.server_status, s.updated_at, \
        \(backupIsRunning), i.address, i.region_id, i.access, d.name, v.name, i.tenant_id
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

    /// `instances` is walked by its index, and every other row found by its key: left to themselves, servers read small
    /// tables whole, join in blocks and then have to sort.
    private static func source(_ index: String) -> String {
        """
        FROM instances i FORCE INDEX (\(index)) \
        STRAIGHT_JOIN service_statuses s FORCE INDEX (PRIMARY) ON s.instance_id = i.id
        """
    }

    private static func outlineSource(_ index: String) -> String {
        """
        \(source(index)) \
        STRAIGHT_JOIN datastore_versions v FORCE INDEX (PRIMARY) ON v.id = i.datastore_version_id \
        STRAIGHT_JOIN datastores d FORCE INDEX (PRIMARY) ON d.id = v.datastore_id
        """
    }

    private static func summarySource(_ index: String) -> String {
        """
        \(outlineSource(index)) \
        LEFT JOIN configurations c FORCE INDEX (PRIMARY) ON c.id = i.configuration_id \
        LEFT JOIN instance_faults f FORCE INDEX (PRIMARY) ON f.instance_id = i.id
        """
    }

    private static let ofAll = """
        WHERE i.deleted = 0 AND i.id > ? AND (? = 1 OR i.cluster_id IS NULL) ORDER BY i.id LIMIT ?
        """
    private static let ofProject = ofAll.replacing("WHERE", with: "WHERE i.tenant_id = ? AND")

    static func mariadb(_ list: JSONList, locks: Bool) -> InstanceStatements {
        InstanceStatements(
            insert: """
                INSERT INTO instances (id, name, tenant_id, flavor_id, volume_size, datastore_version_id, created,
                    updated, deleted, deleted_at, task_id, task_start_time, compute_instance_id, server_status, address,
                    region_id, access, plugins, version, compute_host, encrypted_key,
                    configuration_id, cluster_id, shard_id, type, ssl_mode)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                """,
            insertService: """
                INSERT INTO service_statuses (instance_id, status_id, status_description, updated_at, volume_used)
                VALUES (?, ?, ?, ?, ?)
                """,
            find: locks
                ? "SELECT \(lockingColumns) FROM instances i WHERE i.id = ? AND i.deleted = 0 FOR UPDATE"
                : "SELECT \(columns) \(source("PRIMARY")) WHERE i.id = ? AND i.deleted = 0",
            summary: "SELECT \(summaryColumns) \(summarySource("PRIMARY")) WHERE i.id = ? AND i.deleted = 0",
            pageOfProject: "SELECT \(summaryColumns) \(summarySource("instances_tenant")) \(ofProject)",
            pageOfAll: "SELECT \(summaryColumns) \(summarySource("instances_live")) \(ofAll)",
            outlinesOfProject: "SELECT \(outlineColumns) \(outlineSource("instances_tenant")) \(ofProject)",
            outlinesOfAll: "SELECT \(outlineColumns) \(outlineSource("instances_live")) \(ofAll)",
            detailsOfProject: "SELECT \(detailColumns) \(summarySource("instances_tenant")) \(ofProject)",
            detailsOfAll: "SELECT \(detailColumns) \(summarySource("instances_live")) \(ofAll)",
            all: "SELECT \(columns) \(source("instances_live")) WHERE i.deleted = 0 ORDER BY i.id",
            setTask: """
                UPDATE instances SET task_id = ?, task_start_time = ?, updated = ?, version = version + 1
                WHERE id = ? AND deleted = 0
                """,
            setTaskExpecting: """
                UPDATE instances SET task_id = ?, task_start_time = ?, updated = ?, version = version + 1
                WHERE id = ? AND deleted = 0 AND task_id IN \(list.integers)
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
                SET name = ?, flavor_id = ?, volume_size = ?, datastore_version_id = ?, task_id = ?,
                    task_start_time = ?, compute_instance_id = ?, server_status = ?, address = ?, region_id = ?,
                    access = ?, plugins = ?, compute_host = ?, encrypted_key = ?, configuration_id = ?, updated = ?, version = version + 1
                WHERE id = ? AND deleted = 0 AND version = ?
                """,
            setService: """
                UPDATE service_statuses SET status_id = ?, status_description = ?, updated_at = ?
                WHERE instance_id = ?
                """,
            // The rows of both in the order of the ids, so that two batches never wait for each other.
            serviceStatuses: """
                SELECT s.instance_id, s.status_id FROM \(list.table("r", ("id", .varchar(64), "$")))
                STRAIGHT_JOIN service_statuses s FORCE INDEX (PRIMARY) ON s.instance_id = r.id FOR UPDATE
                """,
            // The rows are there, and locked. An update of a join would go by way of a temporary table.
            heartbeats: .batch(
                """
                INSERT INTO service_statuses (instance_id, status_id, status_description, updated_at, volume_used)
                SELECT r.id, r.status, r.description, r.heartbeat, r.volume
                FROM \(list.table(
                    "r", ("id", .varchar(64), "$[0]"), ("status", .integer, "$[1]"),
                    ("description", .varchar(64), "$[2]"), ("heartbeat", .integer, "$[3]"),
                    ("volume", .integer, "$[4]")))
                ON DUPLICATE KEY UPDATE status_id = VALUES(status_id), status_description = VALUES(status_description),
                    updated_at = VALUES(updated_at),
                    volume_used = COALESCE(VALUES(volume_used), service_statuses.volume_used)
                """),
            markDeleted: """
                UPDATE instances
                SET task_id = ?, task_start_time = NULL, deleted = 1, deleted_at = ?, updated = ?,
                    version = version + 1
                WHERE id = ? AND deleted = 0
                """,
            managed: managed
        )
    }

    private static let managedSelect = "SELECT \(summaryColumns), r.`user`, r.created"
    private static let rootHistory = "LEFT JOIN root_enabled_history r FORCE INDEX (PRIMARY) ON r.id = i.id"

    private static let managed = ManagedInstanceStatements(
        find: "\(managedSelect) \(summarySource("PRIMARY")) \(rootHistory) WHERE i.id = ?",
        page: { filter in
            let index = filter.byProject ? "instances_tenant_changed" : "instances_changed"
            let ids = ManagedInstanceStatements.ids(filter, "instances FORCE INDEX (\(index))")
            let joined = summarySource("PRIMARY").replacing(
                "FROM instances i FORCE INDEX (PRIMARY)",
                with: "STRAIGHT_JOIN instances i FORCE INDEX (PRIMARY) ON i.id = p.id", maxReplacements: 1)
            return """
                \(managedSelect) FROM (\(ids)) p \(joined) \(rootHistory) ORDER BY i.updated DESC, i.id DESC
                """
        },
        ofHost: """
            SELECT \(summaryColumns) \(summarySource("instances_host")) \
            WHERE i.deleted = 0 AND i.compute_host = ? ORDER BY i.id
            """
    )
}
