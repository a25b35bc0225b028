// SPDX-License-Identifier: Apache-2.0

/// The methods of a guest agent; the raw value is the name on the bus.
///
/// Source: guest RPC of the reference service, version 1.3. There, `create_database` to `update_attributes` are casts; here
/// they are calls, so that the API answers when the guest has done it.
package enum GuestVerb: String, Sendable, CaseIterable {
    case prepare
    case restart
    case stopDatabase = "stop_db"
    case ping = "rpc_ping"
    case createDatabase = "create_database"
    case deleteDatabase = "delete_database"
    case listDatabases = "list_databases"
    case createUser = "create_user"
    case deleteUser = "delete_user"
    case listUsers = "list_users"
    case getUser = "get_user"
    case changePasswords = "change_passwords"
    case updateAttributes = "update_attributes"
    case listAccess = "list_access"
    case grantAccess = "grant_access"
    case revokeAccess = "revoke_access"
    case isRootEnabled = "is_root_enabled"
    case enableRoot = "enable_root"
    case enableRootWithPassword = "enable_root_with_password"
    case disableRoot = "disable_root"
    case getFilesystemStats = "get_filesystem_stats"
    /// Served by older guests of the reference service only.
    case getDiagnostics = "get_diagnostics"
    case getHardware = "get_hwinfo"
    case createBackup = "create_backup"
    /// What `update_overrides` and `apply_overrides` of the reference service do, in one: its guest renders by itself.
    case applyConfiguration = "apply_configuration"
    case guestLogList = "guest_log_list"
    case guestLogAction = "guest_log_action"
    case moduleList = "module_list"
    /// An upgrade: before the engine stops, while it is stopped, and once it runs again. Calls, also where the reference
    /// service has a cast: each step ends before the next one begins.
    case preUpgrade = "pre_upgrade"
    case upgrade
    case postUpgrade = "post_upgrade"
    case moduleApply = "module_apply"
    case moduleRemove = "module_remove"
    /// TLS of the engine, as the caller's certificate container has it.
    case sslShow = "ssl_show"
    case sslAction = "ssl_action"
    case sslRollback = "ssl_rollback"
    /// An operation that a plugin invents; the reference service has none.
    case pluginAction = "plugin_action"
    /// A plugin's message to itself in the guest, with an answer and without.
    case pluginCall = "plugin_rpc"
    case pluginCast = "plugin_cast"

    /// Whether the sender waits.
    package enum Kind: Sendable { case call, cast }

    package var kind: Kind {
        switch self {
        case .prepare, .createBackup, .pluginCast: .cast
        default: .call
        }
    }

    /// Whether it changes nothing.
    package var isQuestion: Bool {
        switch self {
        case .ping, .listDatabases, .listUsers, .getUser, .listAccess, .isRootEnabled, .getFilesystemStats,
            .getDiagnostics,
            .getHardware, .guestLogList, .moduleList, .sslShow:
            true
        default: false
        }
    }

    /// How long a caller waits: 15 s where the guest answers from memory or with one statement, else 180 s.
    ///
    /// `stop_db` differs from the reference service, whose caller gives up after 15 s while its guest waits up to 180 s for
    /// the engine to stop.
    package var timeout: Duration {
        switch self {
        case .ping, .listDatabases, .getUser, .listAccess, .grantAccess, .revokeAccess, .isRootEnabled, .disableRoot,
            .getFilesystemStats, .getDiagnostics, .getHardware:
            .seconds(15)
        default: .seconds(180)
        }
    }

    /// The RPC API version sent.
    package var version: String {
        switch self {
        case .prepare, .stopDatabase: "1.1"
        case .sslShow, .sslAction, .sslRollback: "1.3"
        default: "1.0"
        }
    }

    /// The keyword arguments.
    package var arguments: ArgumentRules {
        switch self {
        case .prepare:
            ArgumentRules(
                required: [
                    "packages", "databases", "memory_mb", "users", "device_path", "mount_point", "backup_info",
                    "config_contents",
                ],
                optional: ["root_password", "overrides", "cluster_config", "snapshot", "modules", "ds_version"]
            )
        case .createDatabase: ArgumentRules(required: ["databases"])
        case .deleteDatabase: ArgumentRules(required: ["database"])
        case .listDatabases, .listUsers: ArgumentRules(optional: ["limit", "marker", "include_marker"])
        case .createUser, .changePasswords: ArgumentRules(required: ["users"])
        case .deleteUser: ArgumentRules(required: ["user"])
        case .getUser, .listAccess: ArgumentRules(required: ["username", "hostname"])
        case .updateAttributes: ArgumentRules(required: ["username", "hostname", "user_attrs"])
        case .grantAccess: ArgumentRules(required: ["username", "hostname", "databases"])
        case .revokeAccess: ArgumentRules(required: ["username", "hostname", "database"])
        case .enableRootWithPassword: ArgumentRules(optional: ["root_password"])
        case .getFilesystemStats: ArgumentRules(required: ["fs_path"])
        case .createBackup: ArgumentRules(required: ["backup_info"])
        case .applyConfiguration: ArgumentRules(required: ["values", "config_contents"])
        case .guestLogAction:
            ArgumentRules(required: ["log_name"], optional: ["enable", "disable", "publish", "discard"])
        case .moduleList: ArgumentRules(optional: ["include_contents"])
        case .preUpgrade, .upgrade, .postUpgrade: ArgumentRules(required: ["upgrade_info"])
        case .moduleApply: ArgumentRules(required: ["modules"])
        case .moduleRemove: ArgumentRules(required: ["module"])
        case .pluginCall, .pluginCast: ArgumentRules(required: ["plugin", "method", "payload"])
        case .pluginAction: ArgumentRules(required: ["plugin", "action", "arguments"])
        case .sslAction: ArgumentRules(required: ["mode", "container", "enable", "disable"])
        case .restart, .stopDatabase, .ping, .isRootEnabled, .enableRoot, .disableRoot, .getDiagnostics,
            .getHardware, .guestLogList, .sslShow, .sslRollback:
            ArgumentRules()
        }
    }
}
