// SPDX-License-Identifier: Apache-2.0

/// An engine whose instances start from a template.
public protocol TemplateInitialization: DatastorePlugin {
    /// Fills the empty data directory of a template: no identity, no account that can log in from outside, no secret.
    func initialize(call: Call) throws
}

/// An engine that can be backed up.
public protocol BackupAccessProvision: DatastorePlugin {
    /// What a backup strategy needs.
    func backupAccess(call: Call) throws -> BackupAccess
}

/// An engine with databases that can be seen.
public protocol DatabaseListing: DatastorePlugin {
    /// Databases in ascending order of their names, without the engine's own.
    func listDatabases(_ page: PageRequest, call: Call) throws -> Page<DatabaseDocument>
}

/// An engine in which databases are made and deleted.
public protocol DatabaseAdministration: DatabaseListing {
    /// Makes databases.
    func createDatabases(_ databases: [DatabaseDocument], call: Call) throws
    /// Deletes a database.
    func deleteDatabase(_ name: String, call: Call) throws
}

/// An engine with users.
public protocol UserAdministration: DatastorePlugin {
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
}

/// An engine whose users get access to single databases.
public protocol AccessAdministration: UserAdministration {
    /// Gives a user access to databases.
    func grantAccess(_ key: UserKey, databases: [String], call: Call) throws
    /// Takes a user's access to a database.
    func revokeAccess(_ key: UserKey, database: String, call: Call) throws
}

/// An engine with a superuser that tenants may ask for.
public protocol RootAdministration: DatastorePlugin {
    /// Enables it; makes a password without one. Returns name and password.
    func enableRoot(password: String?, call: Call) throws -> (name: String, password: String)
    /// Disables it.
    func disableRoot(call: Call) throws
    /// Whether it is enabled.
    func isRootEnabled(call: Call) throws -> Bool
}

/// An engine whose configuration can be changed after its creation.
public protocol ConfigurationAdministration: DatastorePlugin {
    /// Makes changed values effective: what the engine takes while it runs at once, everything for the next start.
    ///
    /// Shape: `values` are the changed ones, `.null` takes one away; `configContents` is the whole configuration as the
    /// policy renders it now.
    ///
    /// - Returns: Names of the values that take effect at the next start.
    func applyConfiguration(_ values: [String: JSON], configContents: String, call: Call) throws -> [String]
}

/// The old version's part of an upgrade, while its engine runs.
public protocol UpgradePreparation: DatastorePlugin {
    /// Makes the engine ready to become another version, or throws `.preconditionFailed`.
    func preUpgrade(_ request: UpgradeRequest, call: Call) throws
}

/// The new version's part of an upgrade, while no engine runs.
public protocol DataUpgrade: DatastorePlugin {
    /// Makes the data directory fit the new version's programs.
    func upgrade(_ request: UpgradeRequest, call: Call) throws
}

/// The new version's part of an upgrade, once its engine runs.
public protocol UpgradeCompletion: DatastorePlugin {
    /// Finishes what only the running engine can, e.g. system tables.
    func postUpgrade(_ request: UpgradeRequest, call: Call) throws
}

/// An engine with logs beside its standard error.
public protocol LogListing: DatastorePlugin {
    /// The logs, whether they are on or not.
    func listLogs(call: Call) throws -> [EngineLog]
}

/// An engine with logs that can be turned on and off.
public protocol LogAdministration: LogListing {
    /// Turns a log of kind `.user` on or off.
    ///
    /// - Returns: Whether this takes effect at the next start only.
    func setLog(_ name: String, isEnabled: Bool, call: Call) throws -> Bool
}
