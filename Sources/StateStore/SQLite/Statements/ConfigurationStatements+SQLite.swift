// SPDX-License-Identifier: Apache-2.0

extension ConfigurationStatements {
    // CROSS JOIN: see `InstanceStatements`.
    private static let select = """
        SELECT c.id, c.name, c.description, c.tenant_id, c.datastore_version_id, c.created, c.updated, \
        d.name, v.name, v.version \
        FROM configurations c \
        CROSS JOIN datastore_versions v ON v.id = c.datastore_version_id \
        CROSS JOIN datastores d ON d.id = v.datastore_id
        """

    static let sqlite = ConfigurationStatements(
        insert: """
            INSERT INTO configurations (id, name, description, tenant_id, datastore_version_id, created, updated)
            VALUES (?, ?, ?, ?, ?, ?, ?)
            """,
        find: "\(select) WHERE c.id = ? AND c.deleted = 0",
        pageOfProject: "\(select) WHERE c.tenant_id = ? AND c.deleted = 0 AND c.id > ? ORDER BY c.id LIMIT ?",
        pageOfAll: "\(select) WHERE c.deleted = 0 AND c.id > ? ORDER BY c.id LIMIT ?",
        save: "UPDATE configurations SET name = ?, description = ?, updated = ? WHERE id = ? AND deleted = 0",
        values: """
            SELECT configuration_key, configuration_value FROM configuration_parameters WHERE configuration_id = ?
            """,
        contents: """
            SELECT configuration_key, configuration_value, 0 FROM configuration_parameters WHERE configuration_id = ?
            UNION ALL SELECT NULL, NULL, COUNT(*) FROM instances WHERE configuration_id = ? AND deleted = 0
            """,
        put: """
            INSERT INTO configuration_parameters (configuration_id, configuration_key, configuration_value)
            VALUES (?, ?, ?)
            ON CONFLICT (configuration_id, configuration_key)
            DO UPDATE SET configuration_value = excluded.configuration_value
            """,
        remove: "DELETE FROM configuration_parameters WHERE configuration_id = ? AND configuration_key = ?",
        removeAll: "DELETE FROM configuration_parameters WHERE configuration_id = ?",
        markDeleted: "UPDATE configurations SET deleted = 1, deleted_at = ?, updated = ? WHERE id = ? AND deleted = 0",
        instances: """
            SELECT id, name, tenant_id, task_id, compute_host FROM instances
            WHERE configuration_id = ? AND deleted = 0 AND id > ? ORDER BY id LIMIT ?
            """,
        instanceCount: "SELECT COUNT(*) FROM instances WHERE configuration_id = ? AND deleted = 0",
        setConfiguration: """
            UPDATE instances SET configuration_id = ?, updated = ?, version = version + 1 WHERE id = ? AND deleted = 0
            """
    )
}
