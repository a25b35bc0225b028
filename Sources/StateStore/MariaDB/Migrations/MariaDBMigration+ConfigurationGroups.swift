// SPDX-License-Identifier: Apache-2.0

extension MariaDBMigration {
    /// See SQLite's migration of this name.
    static let configurationGroups = MariaDBMigration(
        number: 6, name: "configuration groups",
        changes: [
            .create(
                SchemaTable(
                    name: "configurations",
                    columns: [
                        .key("id"), .key("name", 255), .text("description").optional, .key("tenant_id"),
                        .key("datastore_version_id"), .integer("created"), .integer("updated"),
                        .flag("deleted").defaulting(to: "0"), .integer("deleted_at").optional,
                    ],
                    primaryKey: ["id"],
                    indexes: [
                        SchemaIndex(name: "configurations_tenant", columns: ["tenant_id", "deleted", "id"]),
                        SchemaIndex(name: "configurations_live", columns: ["deleted", "id"]),
                        SchemaIndex(name: "configurations_datastore_version", columns: ["datastore_version_id"]),
                    ],
                    references: [SchemaReference(column: "datastore_version_id", table: "datastore_versions")]
                )),
            .create(
                SchemaTable(
                    name: "configuration_parameters",
                    columns: [
                        .key("configuration_id"), .key("configuration_key", 255), .text("configuration_value"),
                    ],
                    primaryKey: ["configuration_id", "configuration_key"],
                    references: [SchemaReference(column: "configuration_id", table: "configurations")]
                )),
            .create(
                SchemaTable(
                    name: "datastore_configuration_parameters",
                    columns: [
                        .key("id"), .key("datastore_version_id"), .key("name", 255), .flag("restart_required"),
                        .key("data_type", 255), .integer("max_size").optional, .integer("min_size").optional,
                    ],
                    primaryKey: ["id"],
                    indexes: [
                        SchemaIndex(
                            name: "datastore_configuration_parameters_name",
                            columns: ["datastore_version_id", "name"], isUnique: true)
                    ],
                    references: [SchemaReference(column: "datastore_version_id", table: "datastore_versions")]
                )),
            .addColumn(table: "instances", .key("configuration_id").optional),
            .addIndex(
                table: "instances",
                SchemaIndex(name: "instances_configuration", columns: ["configuration_id", "deleted", "id"])),
        ]
    )
}
