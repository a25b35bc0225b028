// SPDX-License-Identifier: Apache-2.0

/// The flows that the task manager is asked for, with their journal inputs.
///
/// - `create_instance`: `{"instance_id", "databases": [{"name", …}], "users": [{"name", "password", …}], "backup_id": id or null,
///   "modules": [id]}`
/// - `delete_instance`, `restart_instance`, `reboot_instance`: `{"instance_id"}`
/// - `create_backup`: `{"backup_id", "instance_id", "parent_id": id or null}`
/// - `delete_backup`: `{"backup_id"}`
/// - `migrate_plugin`: `{"instance_id", "plugin": "id@version"}`, asked for by an operator's command
/// - `attach_configuration`, `detach_configuration`, `apply_configuration`: `{"instance_id", "configuration_id": id or null,
///   "previous_id": id or null, "names": [parameters that were taken away], "was_restart_required": bool}`
/// - `reapply_module`: `{"module_id", "md5": only those with it, or null, "batch_size", "batch_delay": seconds or null, "force": bool}`
/// - `resize_volume`: `{"instance_id", "new_size": GiB, "old_size": GiB, "volume_gib_growth"}`
/// - `resize_flavor`: `{"instance_id", "new_flavor_id", "old_flavor_id", "ram_mib_growth"}`; growths are what quotas count
/// - `upgrade_instance`: `{"instance_id", "datastore_version_id", "previous_version_id", "previous_plugins": object,
///   "reversible": bool, "previous_task": number}`
/// - `rebuild_instance`, `upgrade_guest`: `{"instance_id"}`
package enum FlowName: String, Sendable, CaseIterable {
    case createInstance = "create_instance"
    case deleteInstance = "delete_instance"
    case restartInstance = "restart_instance"
    case rebootInstance = "reboot_instance"
    case createBackup = "create_backup"
    case deleteBackup = "delete_backup"
    case migratePlugin = "migrate_plugin"
    case attachConfiguration = "attach_configuration"
    case detachConfiguration = "detach_configuration"
    case applyConfiguration = "apply_configuration"
    case reapplyModule = "reapply_module"
    case resizeVolume = "resize_volume"
    case resizeFlavor = "resize_flavor"
    case upgradeInstance = "upgrade_instance"
    case rebuildInstance = "rebuild_instance"
    case updateAccess = "update_access"
    case upgradeGuest = "upgrade_guest"
}
