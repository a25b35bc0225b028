// SPDX-License-Identifier: Apache-2.0

extension MariaDBMigration {
    /// See SQLite's migration of this name.
    static let management = MariaDBMigration(
        number: 5, name: "management",
        changes: [
            .addIndex(
                table: "instances",
                SchemaIndex(name: "instances_changed", columns: ["deleted", "updated", "id"])),
            .addIndex(
                table: "instances",
                SchemaIndex(name: "instances_tenant_changed", columns: ["tenant_id", "deleted", "updated", "id"])),
            .addIndex(
                table: "instances", SchemaIndex(name: "instances_host", columns: ["deleted", "compute_host", "id"])),
            .addColumn(table: "datastores", .flag("deleted").defaulting(to: "0")),
            .addColumn(table: "datastore_versions", .key("manager", 255).optional),
            .addColumn(table: "datastore_versions", .key("image_id", 255).optional),
            .addColumn(table: "datastore_versions", .text("image_tags").optional),
            .addColumn(table: "datastore_versions", .text("registry_ext").optional),
            .addColumn(table: "datastore_versions", .text("repl_strategy").optional),
            .addColumn(table: "datastore_versions", .key("source_file", 255).optional),
            .addColumn(table: "datastore_versions", .flag("deleted").defaulting(to: "0")),
        ]
    )
}
