// SPDX-License-Identifier: Apache-2.0

/// Statements on `backup_strategy`, the same in every dialect. A project's own has the empty text for its instance.
enum BackupStrategyStatements {
    private static let columns = "id, tenant_id, instance_id, swift_container"

    /// container, project, instance
    static let update = "UPDATE backup_strategy SET swift_container = ? WHERE tenant_id = ? AND instance_id = ?"
    /// id, project, instance, container
    static let insert = """
        INSERT INTO backup_strategy (id, tenant_id, instance_id, backend, swift_container) VALUES (?, ?, ?, 'swift', ?)
        """
    /// project, instance → id, project, instance, container
    static let one = "SELECT \(columns) FROM backup_strategy WHERE tenant_id = ? AND instance_id = ?"
    /// project → as `one`
    static let all = "SELECT \(columns) FROM backup_strategy WHERE tenant_id = ? ORDER BY instance_id"
    /// project, instance
    static let remove = "DELETE FROM backup_strategy WHERE tenant_id = ? AND instance_id = ?"
}

struct SQLBackupStrategyRepository: BackupStrategyRepository {
    let connection: any StateConnection

    func put(_ record: BackupStrategyRecord) throws {
        let key: [SQLValue] = [.text(record.projectID), .text(record.instanceID ?? "")]
        let container = SQLValue.text(record.container)
        // A server may count only what changes: whether the row is there is asked.
        if try find(key) != nil {
            try connection.execute(BackupStrategyStatements.update, [container] + key)
        } else {
            try connection.execute(BackupStrategyStatements.insert, [.text(record.id)] + key + [container])
        }
    }

    func find(projectID: String, instanceID: String) throws -> BackupStrategyRecord? {
        try find([.text(projectID), .text(instanceID)]) ?? find([.text(projectID), .text("")])
    }

    func all(projectID: String, instanceID: String?) throws -> [BackupStrategyRecord] {
        guard let instanceID else {
            return try connection.query(BackupStrategyStatements.all, [.text(projectID)], Self.record)
        }
        return try find([.text(projectID), .text(instanceID)]).map { [$0] } ?? []
    }

    func remove(projectID: String, instanceID: String?) throws {
        try connection.execute(BackupStrategyStatements.remove, [.text(projectID), .text(instanceID ?? "")])
    }

    private func find(_ key: [SQLValue]) throws -> BackupStrategyRecord? {
        try connection.first(BackupStrategyStatements.one, key, Self.record)
    }

    private static func record(_ row: any StateRow) throws -> BackupStrategyRecord {
        var reader = RowReader(row)
        let (id, project, instance) = (try reader.text(), try reader.text(), try reader.text())
        return BackupStrategyRecord(
            id: id, projectID: project, instanceID: instance.isEmpty ? nil : instance, container: try reader.text())
    }
}
