// SPDX-License-Identifier: Apache-2.0

/// The guest half of a datastore: turns abstract verbs into one engine's own. `trove.datastore/1`.
///
/// The host makes one value for each instance and calls it on worker threads, never twice at a time, so a function may
/// block. Every function is idempotent: making what is there with the same content and deleting what is gone succeed.
/// What is not written is answered with `.unsupported`.
public protocol DatastorePlugin {
    /// The engine may be running already (the agent was restarted), or not be installed yet. Small files only.
    init(instance: InstanceDocument, call: Call) throws
    /// The engine goes on.
    func close()

    /// Fills the empty data directory of a template: no identity, no account that can log in from outside, no secret.
    func initialize(call: Call) throws
    /// Makes a data directory ready for its first start. The engine is not running.
    func prepare(_ request: PrepareRequest, call: Call) throws
    /// How to start the engine; the host spawns, confines, supervises and stops it.
    func launch(call: Call) throws -> LaunchDocument
    /// Returns once an administrator's login over the instance's own address works, and removes what only the first
    /// start needed.
    func started(call: Call) throws
    /// Within 5 seconds.
    func status(call: Call) throws -> EngineStatus
    /// What a backup strategy needs.
    func backupAccess(call: Call) throws -> BackupAccess

    /// Makes databases.
    func createDatabases(_ databases: [DatabaseDocument], call: Call) throws
    /// Deletes a database.
    func deleteDatabase(_ name: String, call: Call) throws
    /// Databases in ascending order of their names, without the engine's own.
    func listDatabases(_ page: PageRequest, call: Call) throws -> Page<DatabaseDocument>

    /// Makes users with their grants.
    func createUsers(_ users: [UserDocument], call: Call) throws
    /// Deletes a user.
    func deleteUser(_ key: UserKey, call: Call) throws
    /// One user; `nil` if there is none.
    func getUser(_ key: UserKey, call: Call) throws -> UserView?
    /// Changes a user; `.notFound` without one.
    func updateUser(_ update: UserUpdate, call: Call) throws
    /// Users in ascending order of `name@host`, without the engine's own.
    func listUsers(_ page: PageRequest, call: Call) throws -> Page<UserView>
    /// Gives a user access to databases.
    func grantAccess(_ key: UserKey, databases: [String], call: Call) throws
    /// Takes a user's access to a database.
    func revokeAccess(_ key: UserKey, database: String, call: Call) throws

    /// Enables the superuser that tenants may ask for; makes a password without one. Returns name and password.
    func enableRoot(password: String?, call: Call) throws -> (name: String, password: String)
    /// Disables it.
    func disableRoot(call: Call) throws
    /// Whether it is enabled.
    func isRootEnabled(call: Call) throws -> Bool
}

extension DatastorePlugin {
    /// Nothing to free.
    public func close() {}
    /// Unsupported.
    public func initialize(call: Call) throws { throw PluginFailure.unsupported("initialize") }
    /// Unsupported.
    public func backupAccess(call: Call) throws -> BackupAccess { throw PluginFailure.unsupported("backup_access") }
    /// Unsupported.
    public func createDatabases(_ databases: [DatabaseDocument], call: Call) throws {
        throw PluginFailure.unsupported("create_databases")
    }
    /// Unsupported.
    public func deleteDatabase(_ name: String, call: Call) throws { throw PluginFailure.unsupported("delete_database") }
    /// Unsupported.
    public func listDatabases(_ page: PageRequest, call: Call) throws -> Page<DatabaseDocument> {
        throw PluginFailure.unsupported("list_databases")
    }
    /// Unsupported.
    public func createUsers(_ users: [UserDocument], call: Call) throws {
        throw PluginFailure.unsupported("create_users")
    }
    /// Unsupported.
    public func deleteUser(_ key: UserKey, call: Call) throws { throw PluginFailure.unsupported("delete_user") }
    /// Unsupported.
    public func getUser(_ key: UserKey, call: Call) throws -> UserView? { throw PluginFailure.unsupported("get_user") }
    /// Unsupported.
    public func updateUser(_ update: UserUpdate, call: Call) throws { throw PluginFailure.unsupported("update_user") }
    /// Unsupported.
    public func listUsers(_ page: PageRequest, call: Call) throws -> Page<UserView> {
        throw PluginFailure.unsupported("list_users")
    }
    /// Unsupported.
    public func grantAccess(_ key: UserKey, databases: [String], call: Call) throws {
        throw PluginFailure.unsupported("grant_access")
    }
    /// Unsupported.
    public func revokeAccess(_ key: UserKey, database: String, call: Call) throws {
        throw PluginFailure.unsupported("revoke_access")
    }
    /// Unsupported.
    public func enableRoot(password: String?, call: Call) throws -> (name: String, password: String) {
        throw PluginFailure.unsupported("enable_root")
    }
    /// Unsupported.
    public func disableRoot(call: Call) throws { throw PluginFailure.unsupported("disable_root") }
    /// Unsupported.
    public func isRootEnabled(call: Call) throws -> Bool { throw PluginFailure.unsupported("root_status") }
}
