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
    /// What an administrator named when making the version by the API; nil for one of an operator's file, or imported.
    package var manager: String?
    package var imageID: String?
    package var imageTags: [String] = []
    package var registryExtension: String?
    package var replicationStrategy: String?
    /// Name of the operator's file that the version is from; nil for one that no file names.
    package var sourceFile: String?

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
