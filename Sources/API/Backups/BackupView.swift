// SPDX-License-Identifier: Apache-2.0

import Model
import StateStore

/// Writes backups. Source: REST contract §8.
enum BackupView {
    static func write(_ backup: BackupRecord, _ writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("id", backup.id)
            writer.member("name", backup.name)
            writer.member("description", backup.description)
            writer.member("locationRef", backup.location)
            writer.member("instance_id", backup.instanceID)
            writer.member("created", backup.created)
            writer.member("updated", backup.updated)
            writer.key("size")
            if let size = backup.sizeBytes { writer.double(gigabytes(size)) } else { writer.null() }
            writer.member("status", backup.state.rawValue)
            writer.member("parent_id", backup.parentID)
            writer.member("project_id", backup.projectID)
            guard !backup.datastoreName.isEmpty else { return }
            writer.key("datastore")
            writer.object { writer in
                writer.member("type", backup.datastoreName)
                writer.member("version", backup.datastoreVersionName)
                writer.member("version_id", backup.datastoreVersionID)
            }
        }
    }

    /// `{"backup": {…}}`
    static func document(_ status: Int, _ backup: BackupRecord) -> APIResponse {
        .json(status) { writer in
            writer.object { writer in
                writer.key("backup")
                write(backup, &writer)
            }
        }
    }
}

extension Schema {
    /// What `BackupView` writes.
    static let backup = Schema.named(
        "Backup",
        .object(
            [
                "id": .string(), "name": .string(), "description": .oneOf([.string(), .null]),
                "locationRef": .oneOf([.string(), .null]), "instance_id": .oneOf([.string(), .null]),
                "created": .time, "updated": .time, "size": .oneOf([.number, .null]), "status": .string(),
                "parent_id": .oneOf([.string(), .null]), "project_id": .string(),
                "datastore": .object(
                    ["type": .string(), "version": .string(), "version_id": .string()],
                    required: ["type", "version", "version_id"]),
            ],
            required: [
                "id", "name", "description", "locationRef", "instance_id", "created", "updated", "size", "status",
                "parent_id", "project_id",
            ]))
}
