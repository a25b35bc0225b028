// SPDX-License-Identifier: Apache-2.0

package import Model

/// One row of `configurations`: values that instances of one datastore version may be given.
package struct ConfigurationRecord: Sendable, Hashable {
    package var id: String
    package var name: String
    package var description: String?
    package var projectID: String
    package var datastoreVersionID: String
    package var created: Timestamp
    package var updated: Timestamp
    /// From the join: names of the datastore and its version, and the version's number.
    package var datastoreName: String = ""
    package var datastoreVersionName: String = ""
    package var datastoreVersionNumber: String = ""

    package init(
        id: String, name: String, description: String?, projectID: String, datastoreVersionID: String,
        created: Timestamp
    ) {
        self.id = id
        self.name = name
        self.description = description
        self.projectID = projectID
        self.datastoreVersionID = datastoreVersionID
        self.created = created
        updated = created
    }
}

/// What an instance shows of its group.
package struct ConfigurationReference: Sendable, Hashable {
    package var id: String
    package var name: String

    package init(id: String, name: String) {
        self.id = id
        self.name = name
    }
}

/// A live instance that has a group.
package struct ConfiguredInstance: Sendable, Hashable {
    package var id: String
    package var name: String
    package var projectID: String
    package var task: InstanceTask
    package var computeHost: String?
}

/// One row of `datastore_configuration_parameters`: a parameter of a datastore version, as an administrator defined it.
package struct ParameterRecord: Sendable, Hashable {
    package var id: String
    package var datastoreVersionID: String
    package var name: String
    package var isRestartRequired: Bool
    /// `integer` or `string`, with more words around it perhaps.
    package var dataType: String
    package var maximum: Int?
    package var minimum: Int?

    package init(
        id: String, datastoreVersionID: String, name: String, isRestartRequired: Bool, dataType: String, maximum: Int?,
        minimum: Int?
    ) {
        self.id = id
        self.datastoreVersionID = datastoreVersionID
        self.name = name
        self.isRestartRequired = isRestartRequired
        self.dataType = dataType
        self.maximum = maximum
        self.minimum = minimum
    }
}
