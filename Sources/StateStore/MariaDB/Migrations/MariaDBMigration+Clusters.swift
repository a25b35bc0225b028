// SPDX-License-Identifier: Apache-2.0

extension MariaDBMigration {
    /// See SQLite's migration of this name.
    static let clusters = MariaDBMigration(
        number: 7, name: "clusters and backup strategies",
        changes: [
            .create(
                SchemaTable(
                    name: "clusters",
                    columns: [
                        .key("id"), .key("name", 255), .integer("task_id"), .key("tenant_id"),
                        .key("datastore_version_id"), .key("configuration_id").optional, .integer("created"),
                        .integer("updated"), .flag("deleted").defaulting(to: "0"), .integer("deleted_at").optional,
                    ],
                    primaryKey: ["id"],
                    indexes: [
                        SchemaIndex(name: "clusters_tenant", columns: ["tenant_id", "deleted", "id"]),
                        SchemaIndex(name: "clusters_datastore_version", columns: ["datastore_version_id"]),
                    ],
                    references: [SchemaReference(column: "datastore_version_id", table: "datastore_versions")]
                )),
            .addColumn(table: "instances", .key("cluster_id").optional),
            .addColumn(table: "instances", .key("shard_id").optional),
            .addColumn(table: "instances", .key("type").optional),
            .addIndex(
                table: "instances",
                SchemaIndex(name: "instances_cluster", columns: ["cluster_id", "deleted", "id"])),
            .create(
                SchemaTable(
                    name: "backup_strategy",
                    columns: [
                        .key("id"), .key("tenant_id"), .key("instance_id"), .key("backend"),
                        .key("swift_container", 255),
                    ],
                    primaryKey: ["id"],
                    indexes: [
                        SchemaIndex(
                            name: "backup_strategy_owner", columns: ["tenant_id", "instance_id"], isUnique: true)
                    ]
                )),
            .addColumn(table: "backups", .key("container", 255).optional),
        ]
    )
}
