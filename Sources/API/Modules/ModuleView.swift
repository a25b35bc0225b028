// SPDX-License-Identifier: Apache-2.0

import Model
import StateStore

/// Writes modules; contents are not among it. Source: REST contract §12.
enum ModuleView {
    static func write(_ module: ModuleRecord, _ writer: inout JSONWriter) {
        writer.object { writer in members(module, &writer) }
    }

    /// `{"module": {…}}`
    static func document(_ module: ModuleRecord, instanceCount: Int?) -> APIResponse {
        .json { writer in
            writer.object { writer in
                writer.key("module")
                writer.object { writer in
                    members(module, &writer)
                    writer.member("live_update", module.isLiveUpdate)
                    if let instanceCount { writer.member("instance_count", instanceCount) }
                }
            }
        }
    }

    private static func members(_ module: ModuleRecord, _ writer: inout JSONWriter) {
        writer.member("id", module.id)
        writer.member("name", module.name)
        writer.member("type", module.type)
        writer.member("description", module.description)
        writer.member("tenant_id", module.projectID)
        writer.member("datastore_id", module.datastoreID)
        writer.member("datastore_version_id", module.datastoreVersionID)
        writer.member("auto_apply", module.isAutoApply)
        writer.member("priority_apply", module.isPriorityApply)
        writer.member("apply_order", module.applyOrder)
        writer.member("is_admin", module.isAdmin)
        writer.member("md5", module.md5)
        writer.member("visible", module.isVisible)
        writer.member("created", module.created)
        writer.member("updated", module.updated)
        writer.member("tenant", module.projectID ?? ModuleRecord.all)
        writer.member("datastore", module.datastoreName ?? ModuleRecord.all)
        writer.member("datastore_version", module.datastoreVersionName ?? ModuleRecord.all)
    }
}

extension Schema {
    /// What `ModuleView` writes; the last two in one module's document only.
    static let module = Schema.named(
        "Module",
        .object(
            [
                "id": .string(), "name": .string(), "type": .string(), "description": .oneOf([.string(), .null]),
                "tenant_id": .oneOf([.string(), .null]), "datastore_id": .oneOf([.string(), .null]),
                "datastore_version_id": .oneOf([.string(), .null]), "auto_apply": .boolean, "priority_apply": .boolean,
                "apply_order": .integer(), "is_admin": .boolean, "md5": .string(), "visible": .boolean,
                "created": .time, "updated": .time, "tenant": .string(), "datastore": .string(),
                "datastore_version": .string(), "live_update": .boolean, "instance_count": .integer(),
            ],
            required: [
                "id", "name", "type", "description", "auto_apply", "priority_apply", "apply_order", "is_admin", "md5",
                "visible", "created", "updated", "tenant", "datastore", "datastore_version",
            ]))

    /// What a guest tells of a module that was applied.
    static let moduleResult = Schema.named(
        "ModuleResult",
        .object(
            [
                "id": .string(), "name": .string(), "type": .string(), "status": .enumeration(["OK", "ERROR"]),
                "message": .string(), "md5": .oneOf([.string(), .null]), "created": .time, "updated": .time,
                "contents": .oneOf([.string(), .null]),
            ], required: ["id", "name", "type", "status", "message", "created", "updated"]))
}
