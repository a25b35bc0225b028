// SPDX-License-Identifier: Apache-2.0

package protocol DatastoreRepository {
    // What was removed is found by none of these; instances and backups that are no more still show its names.
    func all() throws -> [DatastoreRecord]
    func find(idOrName: String) throws -> DatastoreRecord?
    func versions(datastoreID: String) throws -> [DatastoreVersionRecord]
    func allVersions() throws -> [DatastoreVersionRecord]
    func version(_ id: String) throws -> DatastoreVersionRecord?
    func upsert(_ record: DatastoreRecord) throws
    func upsert(_ record: DatastoreVersionRecord) throws
    /// Which live rows are of the version.
    func users(ofVersion id: String) throws -> DatastoreVersionUse
    /// Removes a version; its datastore has it as default no more, and its name is free.
    func removeVersion(_ id: String) throws
    /// Removes a datastore that has no versions. The next of its name has its id.
    func remove(_ id: String) throws
    /// The id of the removed datastore of this name.
    func removedID(name: String) throws -> String?
}

/// Kinds of live rows that have a datastore version.
package struct DatastoreVersionUse: Sendable, Hashable {
    package var instances = false
    package var backups = false
    package var configurations = false
}
