// SPDX-License-Identifier: Apache-2.0

import Model
import StateStore

/// Finds datastores and versions as requests name them. Source: REST contract §1.11, §3.3, §10.
enum DatastoreLookup {
    static func datastore(_ idOrName: String, _ transaction: any StateTransaction) throws -> DatastoreRecord {
        guard let datastore = try transaction.datastores.find(idOrName: idOrName) else {
            throw APIFault(.datastoreNotFound, "Datastore '\(idOrName)' cannot be found.")
        }
        return datastore
    }

    /// A version of `datastore` by id (when `text` looks like one) or by its name, which must be unique.
    ///
    /// - Parameter number: Tells versions of the same name apart.
    static func version(
        _ text: String, number: String? = nil, of datastore: DatastoreRecord, _ transaction: any StateTransaction
    ) throws -> DatastoreVersionRecord {
        if TextPattern.isUUID(text) {
            guard let version = try transaction.datastores.version(text), version.datastoreID == datastore.id else {
                throw APIFault(.modelNotFound, "DBDatastoreVersion Not Found")
            }
            return version
        }
        let matches = try transaction.datastores.versions(datastoreID: datastore.id)
            .filter { $0.name == text && (number == nil || $0.number == number) }
        guard let version = matches.first else {
            throw APIFault(.datastoreVersionNotFound, "Datastore version '\(text)' cannot be found.")
        }
        guard matches.count == 1 else {
            throw APIFault(
                400, "Multiple datastore versions found for '\(text)', use an UUID to be more specific."
            )
        }
        return version
    }

    /// Which versions something new may be of.
    enum Allowance { case activeVersions, anyVersion }

    /// The version that something new gets.
    static func forCreate(
        type: String?, version: String?, number: String?, allowing allowance: Allowance = .activeVersions,
        defaultDatastore: String?, _ transaction: any StateTransaction
    ) throws -> (DatastoreRecord, DatastoreVersionRecord) {
        let datastore = try forCreate(type: type, defaultDatastore: defaultDatastore, transaction)
        let found: DatastoreVersionRecord
        if let version {
            found = try self.version(version, number: number, of: datastore, transaction)
        } else {
            guard let id = datastore.defaultVersionID, let record = try transaction.datastores.version(id) else {
                throw APIFault(
                    400,
                    "Please specify datastore version. Default version for datastore '\(datastore.name)' not found."
                )
            }
            found = record
        }
        guard found.isActive || allowance == .anyVersion else {
            throw APIFault(.datastoreVersionInactive, "Datastore version '\(found.name)' is not active.")
        }
        return (datastore, found)
    }

    private static func forCreate(
        type: String?, defaultDatastore: String?, _ transaction: any StateTransaction
    ) throws -> DatastoreRecord {
        if let type { return try datastore(type, transaction) }
        guard let defaultDatastore else {
            throw APIFault(400, "Please specify datastore. No default datastore is defined.")
        }
        guard let datastore = try transaction.datastores.find(idOrName: defaultDatastore) else {
            throw APIFault(
                400, "Please specify datastore. Default datastore '\(defaultDatastore)' cannot be found."
            )
        }
        return datastore
    }
}
