// SPDX-License-Identifier: Apache-2.0

package import Model

/// The operations that `dbaas.<event>.<start|end|error>` tells about; the raw value is the event part.
///
/// Source: classes of the reference service's notifications. `rootEnable`, `rootDisable`, `pluginMigrate`, `configurationApply`,
/// `moduleReapply`, `instanceRebuild`, `instanceUpdateAccess` and `guestUpgrade` are this service's own.
package enum OperationEvent: String, Sendable, CaseIterable {
    case instanceCreate = "instance_create"
    case instanceDelete = "instance_delete"
    case instanceRestart = "instance_restart"
    case instanceReboot = "instance_reboot"
    case instanceResetStatus = "instance_reset_status"
    case instanceResizeVolume = "instance_resize_volume"
    case instanceResizeFlavor = "instance_resize_instance"
    case instanceUpgrade = "upgrade"
    case instanceMigrate = "migrate"
    case instanceRebuild = "instance_rebuild"
    /// Its access rules change.
    case instanceUpdateAccess = "instance_update_access"
    /// Its guest agent is replaced.
    case guestUpgrade = "guest_upgrade"
    case backupCreate = "backup_create"
    case backupDelete = "backup_delete"
    case databaseCreate = "database_create"
    case databaseDelete = "database_delete"
    case userCreate = "user_create"
    case userDelete = "user_delete"
    case userUpdateAttributes = "user_update_attributes"
    case userGrant = "user_grant"
    case userRevoke = "user_revoke"
    case userChangePassword = "user_change_password"
    case rootEnable = "root_enable"
    case rootDisable = "root_disable"
    case pluginMigrate = "instance_migrate_plugin"
    case configurationAttach = "instance_attach_configuration"
    case configurationDetach = "instance_detach_configuration"
    /// An instance is given what its group has now.
    case configurationApply = "instance_apply_configuration"
    case configurationCreate = "configuration_create"
    case configurationDelete = "configuration_delete"
    case configurationUpdate = "configuration_update"
    case configurationEdit = "configuration_edit"
    case moduleReapply = "module_reapply"

    /// What the payload has from the start on, besides what every payload has.
    package var startTraits: [String] {
        switch self {
        case .instanceCreate:
            [
                "name", "flavor_id", "datastore", "datastore_version", "image_id", "availability_zone", "region_name",
            ]
        case .instanceDelete, .instanceRestart, .instanceReboot, .instanceResetStatus, .instanceRebuild,
            .instanceUpdateAccess, .guestUpgrade, .rootEnable, .rootDisable:
            ["instance_id"]
        case .instanceResizeVolume: ["instance_id", "new_size"]
        case .instanceResizeFlavor: ["instance_id", "new_flavor_id"]
        case .instanceUpgrade: ["instance_id", "datastore_version_id"]
        case .instanceMigrate: ["host"]
        case .backupCreate: ["name", "instance_id", "description", "parent_id"]
        case .backupDelete: ["backup_id"]
        case .databaseCreate, .databaseDelete: ["instance_id", "dbname"]
        case .userCreate, .userDelete, .userUpdateAttributes, .userChangePassword: ["instance_id", "username"]
        case .userGrant, .userRevoke: ["instance_id", "username", "database"]
        case .pluginMigrate: ["instance_id", "plugin"]
        case .configurationAttach, .configurationApply: ["instance_id", "configuration_id"]
        case .configurationDetach: ["instance_id"]
        case .configurationCreate: ["name", "datastore", "datastore_version"]
        case .configurationDelete, .configurationEdit: ["configuration_id"]
        case .configurationUpdate: ["configuration_id", "name", "description"]
        case .moduleReapply: ["module_id"]
        }
    }

    /// What the end adds.
    package var endTraits: [String] {
        switch self {
        case .instanceCreate: ["instance_id"]
        case .backupCreate: ["backup_id"]
        case .configurationCreate: ["configuration_id"]
        default: []
        }
    }

    /// In whose name the end of the flow is told: upstream's guest says itself when it has finished these.
    package var finisher: ServerType {
        switch self {
        case .instanceCreate, .backupCreate: .guest
        default: .taskManager
        }
    }

    /// The event of a flow.
    package init(flow: FlowName) {
        switch flow {
        case .createInstance: self = .instanceCreate
        case .deleteInstance: self = .instanceDelete
        case .restartInstance: self = .instanceRestart
        case .rebootInstance: self = .instanceReboot
        case .createBackup: self = .backupCreate
        case .deleteBackup: self = .backupDelete
        case .migratePlugin: self = .pluginMigrate
        case .attachConfiguration: self = .configurationAttach
        case .detachConfiguration: self = .configurationDetach
        case .applyConfiguration: self = .configurationApply
        case .reapplyModule: self = .moduleReapply
        case .resizeVolume: self = .instanceResizeVolume
        case .resizeFlavor: self = .instanceResizeFlavor
        case .upgradeInstance: self = .instanceUpgrade
        case .rebuildInstance: self = .instanceRebuild
        case .updateAccess: self = .instanceUpdateAccess
        case .upgradeGuest: self = .guestUpgrade
        }
    }
}

/// Who tells: `server_type` of the payload and the first part of `publisher_id`.
package enum ServerType: String, Sendable {
    case api
    case taskManager = "taskmanager"
    case guest
}
