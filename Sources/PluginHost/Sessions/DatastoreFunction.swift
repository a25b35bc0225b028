// SPDX-License-Identifier: Apache-2.0

/// One entry of `trove.datastore/1` that takes a document and may emit one. Documents: the header.
package enum DatastoreFunction: String, Sendable, Hashable, CaseIterable {
    case initialize
    case prepare
    case launch
    case started
    case backupAccess = "backup_access"
    case createDatabases = "create_databases"
    case deleteDatabase = "delete_database"
    case listDatabases = "list_databases"
    case createUsers = "create_users"
    case deleteUser = "delete_user"
    case getUser = "get_user"
    case updateUser = "update_user"
    case listUsers = "list_users"
    case grantAccess = "grant_access"
    case revokeAccess = "revoke_access"
    case enableRoot = "enable_root"
    case disableRoot = "disable_root"
    case rootStatus = "root_status"
    case applyConfiguration = "apply_configuration"
    case listLogs = "list_logs"
    case setLog = "set_log"
    case preUpgrade = "pre_upgrade"
    case upgrade
    case postUpgrade = "post_upgrade"
}

/// One entry of `trove.tls/1`.
package enum TLSFunction: String, Sendable, Hashable, CaseIterable {
    case apply
    case show
}

/// The engine as its plugin sees it.
package struct EngineStatus: Sendable, Hashable {
    /// `TROVE_SERVICE_*`; a number that this host does not know is `unknown`.
    package enum Health: UInt32, Sendable, Hashable {
        case unknown = 0
        /// Answers over the instance's own address.
        case healthy = 1
        /// Up, not yet answering.
        case starting = 2
        /// Up, refuses work.
        case blocked = 3
        /// Does not answer.
        case shutdown = 4
    }

    package var health: Health
    /// Bytes of data; nil when not known.
    package var dataBytes: Int?
    /// Clients connected now.
    package var connections: Int

    package init(health: Health, dataBytes: Int?, connections: Int) {
        self.health = health
        self.dataBytes = dataBytes
        self.connections = connections
    }
}
