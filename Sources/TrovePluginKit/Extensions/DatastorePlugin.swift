// SPDX-License-Identifier: Apache-2.0

/// The guest half of a datastore: turns abstract verbs into one engine's own. `trove.datastore/1`.
///
/// This is what every engine has. What an engine may lack is in protocols of its own beside this one (`TemplateInitialization`,
/// `BackupAccessProvision`, `DatabaseListing`, `DatabaseAdministration`, `UserAdministration`, `AccessAdministration`,
/// `RootAdministration`): a type conforms to those whose verbs its engine has, and the entries of the others are NULL in the
/// C table, which the host answers with `.unsupported`.
///
/// The host makes one value for each instance and calls it on worker threads, never twice at a time, so a function may
/// block. Every function is idempotent: making what is there with the same content and deleting what is gone succeed.
public protocol DatastorePlugin {
    /// The engine may be running already (the agent was restarted), or not be installed yet. Small files only.
    init(instance: InstanceDocument, call: Call) throws
    /// The engine goes on.
    func close()

    /// Makes a data directory ready for its first start. The engine is not running.
    func prepare(_ request: PrepareRequest, call: Call) throws
    /// How to start the engine; the host spawns, confines, supervises and stops it.
    func launch(call: Call) throws -> LaunchDocument
    /// Returns once an administrator's login over the instance's own address works, and removes what only the first
    /// start needed.
    func started(call: Call) throws
    /// Within 5 seconds.
    func status(call: Call) throws -> EngineStatus
}

extension DatastorePlugin {
    /// Nothing to free.
    public func close() {}
}
