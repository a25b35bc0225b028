// SPDX-License-Identifier: Apache-2.0

extension ConfigurationStatements {
    private static let columns = """
        c.id, c.name, c.description, c.tenant_id, c.datastore_version_id, c.created, c.updated
        """

    /// See `InstanceStatements` for why every join is told its way.
    private static func select(_ index: String) -> String {
        """
        SELECT \(columns), d.name, v.name, v.version \
        FROM configurations c FORCE INDEX (\(index)) \
        STRAIGHT_JOIN datastore_versions v FORCE INDEX (PRIMARY) ON v.id = c.datastore_version_id \
        STRAIGHT_JOIN datastores d FORCE INDEX (PRIMARY) ON d.id = v.datastore_id
        """
    }

    /// The names in subqueries: a datastore is not locked with its groups.
    private static let lockingSelect = """
        SELECT \(columns), \
        (SELECT d.name FROM datastore_versions v JOIN datastores d ON d.id = v.datastore_id \
        WHERE v.id = c.datastore_version_id), \
        (SELECT v.name FROM datastore_versions v WHERE v.id = c.datastore_version_id), \
        (SELECT v.version FROM datastore_versions v WHERE v.id = c.datastore_version_id) \
        FROM configurations c
        """

    static func mariadb(locks: Bool) -> ConfigurationStatements {
        ConfigurationStatements(
            insert: """
                INSERT INTO configurations (id, name, description, tenant_id, datastore_version_id, created, updated)
                VALUES (?, ?, ?, ?, ?, ?, ?)
                """,
            find: "\(locks ? lockingSelect : select("PRIMARY")) WHERE c.id = ? AND c.deleted = 0"
                + (locks ? " FOR UPDATE" : ""),
            pageOfProject: """
                \(select("configurations_tenant")) WHERE c.tenant_id = ? AND c.deleted = 0 AND c.id > ?
                ORDER BY c.id LIMIT ?
                """,
            pageOfAll: "\(select("configurations_live")) WHERE c.deleted = 0 AND c.id > ? ORDER BY c.id LIMIT ?",
            save: "UPDATE configurations SET name = ?, description = ?, updated = ? WHERE id = ? AND deleted = 0",
            values: """
                SELECT configuration_key, configuration_value FROM configuration_parameters WHERE configuration_id = ?
                """,
            contents: """
                SELECT configuration_key, configuration_value, 0 FROM configuration_parameters WHERE configuration_id = ?
                UNION ALL SELECT NULL, NULL, COUNT(*) FROM instances FORCE INDEX (instances_configuration)
                WHERE configuration_id = ? AND deleted = 0
                """,
            put: """
                INSERT INTO configuration_parameters (configuration_id, configuration_key, configuration_value)
                VALUES (?, ?, ?) ON DUPLICATE KEY UPDATE configuration_value = VALUES(configuration_value)
                """,
            remove: "DELETE FROM configuration_parameters WHERE configuration_id = ? AND configuration_key = ?",
            removeAll: "DELETE FROM configuration_parameters WHERE configuration_id = ?",
            markDeleted: """
                UPDATE configurations SET deleted = 1, deleted_at = ?, updated = ? WHERE id = ? AND deleted = 0
                """,
            instances: """
                SELECT id, name, tenant_id, task_id, compute_host FROM instances FORCE INDEX (instances_configuration)
                WHERE configuration_id = ? AND deleted = 0 AND id > ? ORDER BY id LIMIT ?
                """,
            instanceCount: """
                SELECT COUNT(*) FROM instances FORCE INDEX (instances_configuration)
                WHERE configuration_id = ? AND deleted = 0
                """,
            setConfiguration: """
                UPDATE instances SET configuration_id = ?, updated = ?, version = version + 1
                WHERE id = ? AND deleted = 0
                """
        )
    }
}
