// SPDX-License-Identifier: Apache-2.0

extension MariaDBMigration {
    /// See SQLite's migration of this name.
    static let modules = MariaDBMigration(
        number: 8, name: "modules",
        changes: [
            .create(
                SchemaTable(
                    name: "modules",
                    columns: [
                        .key("id"), .key("name", 255), .key("type", 255), .text("contents"),
                        .text("description").optional, .key("tenant_id").optional, .key("datastore_id").optional,
                        .key("datastore_version_id").optional, .flag("auto_apply"), .flag("visible"),
                        .flag("live_update"), .flag("priority_apply"), .integer("apply_order"), .flag("is_admin"),
                        .key("md5"), .integer("created"), .integer("updated"), .flag("deleted").defaulting(to: "0"),
                        .integer("deleted_at").optional,
                    ],
                    primaryKey: ["id"],
                    indexes: [SchemaIndex(name: "modules_live", columns: ["deleted", "name", "id"])]
                )),
            .create(
                SchemaTable(
                    name: "instance_modules",
                    columns: [
                        .key("module_id"), .key("instance_id"), .key("md5"), .integer("created"), .integer("updated"),
                    ],
                    primaryKey: ["module_id", "instance_id"],
                    indexes: [SchemaIndex(name: "instance_modules_instance", columns: ["instance_id"])],
                    references: [
                        SchemaReference(column: "module_id", table: "modules"),
                        SchemaReference(column: "instance_id", table: "instances"),
                    ]
                )),
        ]
    )
}
