// SPDX-License-Identifier: Apache-2.0

import Model
import StateStore

/// Writes configuration groups. Source: REST contract §9.
enum ConfigurationView {
    /// An item of a list.
    static func write(_ group: ConfigurationRecord, _ writer: inout JSONWriter) {
        writer.object { writer in writeMembers(group, &writer) }
    }

    /// `{"configuration": {…}}` with values and the number of its instances.
    static func document(
        _ group: ConfigurationRecord, values: [String: JSONValue], instanceCount: Int
    ) -> APIResponse {
        .json { writer in
            writer.object { writer in
                writer.key("configuration")
                writer.object { writer in
                    writeMembers(group, &writer)
                    writer.member("datastore_version_number", group.datastoreVersionNumber)
                    writer.member("values", .object(masked(values)))
                    writer.member("instance_count", instanceCount)
                }
            }
        }
    }

    private static func writeMembers(_ group: ConfigurationRecord, _ writer: inout JSONWriter) {
        writer.member("id", group.id)
        writer.member("name", group.name)
        writer.member("description", group.description)
        writer.member("created", group.created)
        writer.member("updated", group.updated)
        writer.member("datastore_version_id", group.datastoreVersionID)
        writer.member("datastore_name", group.datastoreName)
        writer.member("datastore_version_name", group.datastoreVersionName)
    }

    private static let secretWords = ["pass", "secret", "token", "private_key", "auth_key"]

    /// Texts whose parameter's name says that they are secrets are not shown.
    static func masked(_ values: [String: JSONValue]) -> [String: JSONValue] {
        Dictionary(
            uniqueKeysWithValues: values.map { name, value in
                let lowered = name.lowercased()
                let isSecret = value.stringValue != nil && secretWords.contains { lowered.contains($0) }
                return (name, isSecret ? "***" : value)
            })
    }
}

extension Schema {
    /// What `ConfigurationView` writes; the last members in one group's document only.
    static let configuration = Schema.named(
        "Configuration",
        .object(
            [
                "id": .string(), "name": .string(), "description": .oneOf([.string(), .null]), "created": .time,
                "updated": .time, "datastore_version_id": .string(), "datastore_name": .string(),
                "datastore_version_name": .string(), "datastore_version_number": .string(), "values": .map(of: .any),
                "instance_count": .integer(minimum: 0),
            ],
            required: [
                "id", "name", "description", "created", "updated", "datastore_version_id", "datastore_name",
                "datastore_version_name",
            ]))
}
