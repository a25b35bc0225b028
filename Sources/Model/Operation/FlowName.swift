// SPDX-License-Identifier: Apache-2.0

/// The flows that the task manager is asked for, with their journal inputs.
///
/// - `create_instance`: `{"instance_id", "databases": [{"name", …}], "users": [{"name", "password", …}], "backup_id": id or null}`
/// - `delete_instance`, `restart_instance`: `{"instance_id"}`
/// - `create_backup`: `{"backup_id", "instance_id", "parent_id": id or null}`
/// - `delete_backup`: `{"backup_id"}`
/// - `migrate_plugin`: `{"instance_id", "plugin": "id@version"}`, asked for by an operator's command
package enum FlowName: String, Sendable, CaseIterable {
    case createInstance = "create_instance"
    case deleteInstance = "delete_instance"
    case restartInstance = "restart_instance"
    case createBackup = "create_backup"
    case deleteBackup = "delete_backup"
    case migratePlugin = "migrate_plugin"
}
