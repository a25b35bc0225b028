// SPDX-License-Identifier: Apache-2.0

import Model

extension ReferenceDatabase {
    /// Live clusters; those with a task that this program does not know are as if they had none.
    static func clusters(_ connection: any StateConnection) throws -> [ClusterRecord] {
        try connection.query(
            """
            SELECT id, COALESCE(name, ''), tenant_id, datastore_version_id, task_id, configuration_id,
                \(time("created")), \(time("updated"))
            FROM clusters WHERE deleted = 0 AND tenant_id IS NOT NULL AND datastore_version_id IS NOT NULL ORDER BY id
            """, []
        ) { row in
            var reader = RowReader(row)
            var record = ClusterRecord(
                id: try reader.text(), name: try reader.text(), projectID: try reader.text(),
                datastoreVersionID: try reader.text(),
                task: try ClusterTask(rawValue: reader.optionalInt() ?? 1) ?? .none,
                configurationID: try reader.optionalText(), created: try reader.time())
            record.updated = try reader.time()
            return record
        }
    }

    /// Where backups go.
    static func strategies(_ connection: any StateConnection) throws -> [BackupStrategyRecord] {
        try connection.query(
            """
            SELECT id, tenant_id, COALESCE(instance_id, ''), swift_container FROM backup_strategy
            WHERE tenant_id IS NOT NULL AND swift_container IS NOT NULL ORDER BY id
            """, []
        ) { row in
            var reader = RowReader(row)
            let (id, project, instance) = (try reader.text(), try reader.text(), try reader.text())
            return BackupStrategyRecord(
                id: id, projectID: project, instanceID: instance.isEmpty ? nil : instance,
                container: try reader.text())
        }
    }
}
