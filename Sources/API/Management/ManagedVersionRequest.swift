// SPDX-License-Identifier: Apache-2.0

import Model
import StateStore

/// What administrators say of a datastore version; what they do not say is nil. Source: REST contract §17.
struct ManagedVersionRequest: Sendable {
    let name: String?
    let number: String?
    let datastoreName: String?
    let manager: String?
    let isActive: Bool?
    let isDefault: Bool?
    let packages: [String]?
    private let changes: JSONValue

    static let createSchema = Schema.object(
        [
            "version": .object(
                members.merging(["datastore_name": .nonEmptyText, "version": .nonEmptyText]) { $1 },
                required: ["name", "datastore_name", "datastore_manager", "active"], isClosed: true)
        ], required: ["version"], isClosed: true)

    /// The members as such, without an object around them.
    static let patchSchema = Schema.object(members, isClosed: true)

    private static let members: [String: Schema] = [
        "name": .nonEmptyText, "datastore_manager": .nonEmptyText, "active": .boolean, "default": .boolean,
        "image": .oneOf([.uuid, .null]),
        "image_tags": .array(of: .string(minimum: 1, maximum: 20, pattern: .alphanumeric), maximum: 5, isUnique: true),
        "packages": .array(of: .nonEmptyText, isUnique: true),
        "registry_ext": .oneOf([.nonEmptyText, .null]), "repl_strategy": .oneOf([.nonEmptyText, .null]),
    ]

    init(_ body: JSONValue) {
        name = body["name"]?.stringValue
        number = body["version"]?.stringValue
        datastoreName = body["datastore_name"]?.stringValue
        manager = body["datastore_manager"]?.stringValue
        isActive = body["active"]?.boolValue
        isDefault = body["default"]?.boolValue
        packages = body["packages"]?.arrayValue?.compactMap(\.stringValue)
        changes = body
    }

    /// Writes everything but name, number and whether it is active.
    ///
    /// - Throws: 400 for a manager that nobody knows, and for a version without image.
    func apply(
        to version: inout DatastoreVersionRecord, manager: String, _ managers: DatastoreManagers,
        _ transaction: any StateTransaction
    ) throws {
        if self.manager != nil || version.manager == nil {
            version.plugins = try managers.plugins(of: manager, besides: version.id, transaction)
        }
        version.manager = manager
        if let packages { version.packages = packages }
        if let value = changes["registry_ext"] { version.registryExtension = value.stringValue }
        if let value = changes["repl_strategy"] { version.replicationStrategy = value.stringValue }
        try applyImage(to: &version)
    }

    /// Tags without an image take its place.
    private func applyImage(to version: inout DatastoreVersionRecord) throws(APIFault) {
        let (image, tags) = (changes["image"], changes["image_tags"]?.arrayValue?.compactMap(\.stringValue))
        if let tags {
            version.imageTags = tags
            if image == nil { version.imageID = nil }
        }
        if let image { version.imageID = image.stringValue }
        let isNew = datastoreName != nil
        guard isNew || image != nil || tags != nil else { return }
        guard version.imageID != nil || !version.imageTags.isEmpty else {
            throw APIFault(400, "Image must be specified.")
        }
    }
}
