// SPDX-License-Identifier: Apache-2.0

import Model
import StateStore

/// Writes datastores and their versions. Source: REST contract §10.
struct DatastoreView {
    let links: LinkWriter
    let isAdmin: Bool

    /// `d`, with the versions it is given; `default_version` only when it is one of them.
    func write(_ datastore: DatastoreRecord, _ versions: [DatastoreVersionRecord], _ writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("id", datastore.id)
            writer.member("name", datastore.name)
            links.write(&writer, "datastores", datastore.id)
            writer.key("versions")
            writer.array { writer in
                for version in versions { write(version, namesDatastore: false, &writer) }
            }
            if let id = datastore.defaultVersionID, versions.contains(where: { $0.id == id }) {
                writer.member("default_version", id)
            }
        }
    }

    /// `v`; `datastore` only where it is not inside one.
    func write(_ version: DatastoreVersionRecord, namesDatastore: Bool, _ writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("id", version.id)
            writer.member("name", version.name)
            writer.member("version", version.number)
            links.write(&writer, "datastores/versions", version.id)
            if namesDatastore { writer.member("datastore", version.datastoreID) }
            guard isAdmin else { return }
            writer.member("active", version.isActive)
            writer.member("packages", version.packages.joined(separator: ","))
            writer.member("image", version.imageID)
            writer.member("registry_ext", version.registryExtension)
            writer.member("repl_strategy", version.replicationStrategy)
            writer.member("image_tags", .array(version.imageTags.map(JSONValue.string)))
        }
    }
}

extension Schema {
    /// What `DatastoreView` writes.
    static let datastore = Schema.named(
        "Datastore",
        .object(
            [
                "id": .string(), "name": .string(), "links": .links, "versions": .array(of: .datastoreVersion),
                "default_version": .string(),
            ], required: ["id", "name", "links", "versions"]))

    static let datastoreVersion = Schema.named(
        "DatastoreVersion",
        .object(
            [
                "id": .string(), "name": .string(), "version": .string(), "links": .links, "datastore": .string(),
                "active": .boolean, "packages": .string(), "image": .oneOf([.string(), .null]),
                "registry_ext": .oneOf([.string(), .null]), "repl_strategy": .oneOf([.string(), .null]),
                "image_tags": .array(of: .string()),
            ], required: ["id", "name", "version", "links"]))
}
