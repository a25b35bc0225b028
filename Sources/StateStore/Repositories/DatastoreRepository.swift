// SPDX-License-Identifier: Apache-2.0

package protocol DatastoreRepository {
    func all() throws -> [DatastoreRecord]
    func find(idOrName: String) throws -> DatastoreRecord?
    func versions(datastoreID: String) throws -> [DatastoreVersionRecord]
    func allVersions() throws -> [DatastoreVersionRecord]
    func version(_ id: String) throws -> DatastoreVersionRecord?
    func upsert(_ record: DatastoreRecord) throws
    func upsert(_ record: DatastoreVersionRecord) throws
}
