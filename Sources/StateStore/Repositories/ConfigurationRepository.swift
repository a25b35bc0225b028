// SPDX-License-Identifier: Apache-2.0

package import Model

/// Configuration groups, their values, and who has them.
package protocol ConfigurationRepository {
    func insert(_ record: ConfigurationRecord) throws
    /// The live group.
    func find(_ id: String) throws -> ConfigurationRecord?
    /// One page of live groups, `id > marker`, ids ascending; `projectID` nil means all projects.
    func page(projectID: String?, after marker: String?, limit: Int) throws -> [ConfigurationRecord]
    /// Writes name, description and `updated`.
    ///
    /// - Throws: `.notFound`.
    func save(_ record: ConfigurationRecord, now: Timestamp) throws
    /// Values by parameter.
    func values(_ id: String) throws -> [String: JSONValue]
    /// Values as they are stored, and how many live instances have the group.
    func contents(_ id: String) throws -> (values: [String: JSONValue], instanceCount: Int)
    /// Adds values, or replaces those that are there.
    func put(_ id: String, _ values: [String: JSONValue]) throws
    func remove(_ id: String, names: [String]) throws
    /// Marks the group deleted and removes its values.
    ///
    /// - Throws: `.notFound`.
    func markDeleted(_ id: String, now: Timestamp) throws
    /// Live instances that have the group, `id > marker`, ids ascending.
    func instances(_ id: String, after marker: String?, limit: Int) throws -> [ConfiguredInstance]
    func instanceCount(_ id: String) throws -> Int
    /// Gives an instance the group, or none.
    func setConfiguration(_ id: String?, ofInstance instanceID: String, now: Timestamp) throws
}

/// Parameters that administrators defined for datastore versions.
package protocol ParameterRepository {
    /// By name.
    func all(datastoreVersionID: String) throws -> [ParameterRecord]
    func find(datastoreVersionID: String, name: String) throws -> ParameterRecord?
    /// - Throws: `.conflict` when the version has one of this name.
    func insert(_ record: ParameterRecord) throws
    /// Writes everything but id, version and name. Returns false when there is none.
    func update(_ record: ParameterRecord) throws -> Bool
    /// Returns false when there is none.
    func remove(datastoreVersionID: String, name: String) throws -> Bool
}
