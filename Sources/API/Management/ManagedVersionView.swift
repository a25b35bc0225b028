// SPDX-License-Identifier: Apache-2.0

import Model
import StateStore

/// Writes datastore versions as administrators see them. Source: REST contract §17; an empty list is `[""]` there.
enum ManagedVersionView {
    static func write(
        _ version: DatastoreVersionRecord, of datastore: DatastoreRecord, _ writer: inout JSONWriter
    ) {
        writer.object { writer in
            writer.member("id", version.id)
            writer.member("name", version.name)
            writer.member("version", version.number)
            writer.member("datastore_id", datastore.id)
            writer.member("datastore_name", datastore.name)
            writer.member("datastore_manager", version.manager ?? datastore.name)
            writer.member("image", version.imageID)
            writer.member("image_tags", list(version.imageTags))
            writer.member("packages", list(version.packages))
            writer.member("active", version.isActive)
            writer.member("registry_ext", version.registryExtension)
            writer.member("repl_strategy", version.replicationStrategy)
            writer.member("default", datastore.defaultVersionID == version.id)
        }
    }

    private static func list(_ texts: [String]) -> JSONValue {
        .array((texts.isEmpty ? [""] : texts).map(JSONValue.string))
    }
}

extension Schema {
    /// What `ManagedVersionView` writes.
    static let managedDatastoreVersion = Schema.named(
        "ManagedDatastoreVersion",
        .object(
            [
                "id": .string(), "name": .string(), "version": .string(), "datastore_id": .string(),
                "datastore_name": .string(), "datastore_manager": .string(), "image": .oneOf([.string(), .null]),
                "image_tags": .array(of: .string()), "packages": .array(of: .string()), "active": .boolean,
                "registry_ext": .oneOf([.string(), .null]), "repl_strategy": .oneOf([.string(), .null]),
                "default": .boolean,
            ],
            required: [
                "id", "name", "version", "datastore_id", "datastore_name", "datastore_manager", "image", "image_tags",
                "packages", "active", "registry_ext", "repl_strategy", "default",
            ]))
}
