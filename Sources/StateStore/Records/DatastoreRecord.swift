// SPDX-License-Identifier: Apache-2.0

package import Model

/// One row of `datastores`.
package struct DatastoreRecord: Sendable, Hashable {
    package var id: String
    package var name: String
    package var defaultVersionID: String?

    package init(id: String, name: String, defaultVersionID: String?) {
        self.id = id
        self.name = name
        self.defaultVersionID = defaultVersionID
    }
}

/// One row of `datastore_versions`.
package struct DatastoreVersionRecord: Sendable, Hashable {
    package var id: String
    package var datastoreID: String
    package var name: String
    package var number: String
    package var isActive: Bool
    package var packages: [String]
    /// Plugin references by role: `{"datastore": "id[@version]", "backup": …, "replication": …}`.
    package var plugins: JSONValue

    package init(
        id: String, datastoreID: String, name: String, number: String, isActive: Bool, packages: [String],
        plugins: JSONValue
    ) {
        self.id = id
        self.datastoreID = datastoreID
        self.name = name
        self.number = number
        self.isActive = isActive
        self.packages = packages
        self.plugins = plugins
    }
}
