// SPDX-License-Identifier: Apache-2.0

extension MariaDBMigration {
    /// The tables of SQLite's first release, under the same names. Times are microseconds since 1970, documents JSON text.
    static let firstRelease = MariaDBMigration(
        number: 1, name: "first release",
        changes: (datastoreTables + instanceTables + [backups, journal, ledger] + bookkeepingTables).map(Change.create))

    private static let datastoreTables = [
        SchemaTable(
            name: "datastores",
            columns: [.key("id"), .key("name", 255), .key("default_version_id").optional],
            primaryKey: ["id"],
            indexes: [SchemaIndex(name: "datastores_name", columns: ["name"], isUnique: true)]
        ),
        SchemaTable(
            name: "datastore_versions",
            columns: [
                .key("id"), .key("datastore_id"), .key("name", 255), .key("version", 255), .flag("active"),
                .text("packages"), .text("plugins"),
            ],
            primaryKey: ["id"],
            indexes: [
                SchemaIndex(
                    name: "datastore_versions_number", columns: ["datastore_id", "name", "version"], isUnique: true)
            ],
            references: [SchemaReference(column: "datastore_id", table: "datastores")]
        ),
    ]

    private static let instanceTables = [
        SchemaTable(
            name: "instances",
            columns: [
                .key("id"), .key("name", 255), .key("tenant_id"), .key("flavor_id", 255), .integer("volume_size"),
                .key("datastore_version_id"), .integer("created"), .integer("updated"),
                .flag("deleted").defaulting(to: "0"), .integer("deleted_at").optional, .integer("task_id"),
                .integer("task_start_time").optional, .key("compute_instance_id", 255).optional,
                .key("server_status", 64), .key("address", 255).optional, .key("region_id", 255).optional,
                .text("access").optional, .text("plugins"), .integer("version").defaulting(to: "0"),
            ],
            primaryKey: ["id"],
            indexes: [
                SchemaIndex(name: "instances_tenant", columns: ["tenant_id", "deleted", "id"]),
                SchemaIndex(name: "instances_live", columns: ["deleted", "id"]),
                // Covers the quota sums.
                SchemaIndex(name: "instances_usage", columns: ["tenant_id", "deleted", "flavor_id", "volume_size"]),
                SchemaIndex(name: "instances_datastore_version", columns: ["datastore_version_id"]),
            ],
            references: [SchemaReference(column: "datastore_version_id", table: "datastore_versions")]
        ),
        // By instance, and not by a number as in SQLite: a heartbeat finds its row without a second index.
        SchemaTable(
            name: "service_statuses",
            columns: [
                .key("instance_id"), .integer("status_id"), .key("status_description"), .integer("updated_at"),
                .integer("volume_used").optional,
            ],
            primaryKey: ["instance_id"],
            references: [SchemaReference(column: "instance_id", table: "instances")]
        ),
        SchemaTable(
            name: "instance_faults",
            columns: [
                .key("instance_id"), .key("message", 255), .text("details").optional, .integer("created"),
                .integer("updated"),
            ],
            primaryKey: ["instance_id"],
            references: [SchemaReference(column: "instance_id", table: "instances")]
        ),
        SchemaTable(
            name: "root_enabled_history",
            columns: [.key("id"), .key("user", 255), .integer("created")],
            primaryKey: ["id"]
        ),
        SchemaTable(
            name: "conductor_lastseen",
            columns: [.key("instance_id"), .key("method_name"), SchemaColumn(name: "sent", kind: .double)],
            primaryKey: ["instance_id", "method_name"]
        ),
    ]

    private static let backups = SchemaTable(
        name: "backups",
        columns: [
            .key("id"), .key("name", 255), .text("description").optional, .key("tenant_id"),
            .key("instance_id").optional, .key("parent_id").optional, .key("state"), .text("location").optional,
            .integer("size_bytes").optional, .key("checksum", 255).optional, .key("backup_type", 255).optional,
            .key("datastore_version_id"), .text("position").optional, .integer("created"), .integer("updated"),
            .flag("deleted").defaulting(to: "0"), .integer("deleted_at").optional,
            .mark("running", where: "deleted = 0 AND state IN ('NEW', 'BUILDING', 'SAVING')"),
        ],
        primaryKey: ["id"],
        indexes: [
            SchemaIndex(name: "backups_tenant", columns: ["tenant_id", "deleted", "updated", "id"]),
            SchemaIndex(name: "backups_instance", columns: ["instance_id", "deleted", "updated", "id"]),
            SchemaIndex(name: "backups_live", columns: ["deleted", "updated", "id"]),
            SchemaIndex(name: "backups_parent", columns: ["parent_id", "deleted", "created", "id"]),
            SchemaIndex(name: "backups_datastore_version", columns: ["datastore_version_id"]),
            SchemaIndex(name: "backups_running", columns: ["instance_id", "running"]),
        ],
        references: [
            SchemaReference(column: "parent_id", table: "backups"),
            SchemaReference(column: "datastore_version_id", table: "datastore_versions"),
        ]
    )

    private static let journal = SchemaTable(
        name: "journal",
        columns: [
            .counter("seq"), .key("id"), .key("request_id", 255), .key("tenant_id"), .key("user_id"), .key("flow"),
            .key("resource_id"), .text("input"), .key("state", 16), .key("step", 255), .flag("step_is_done"),
            .text("scratch"), .integer("attempt"), .integer("not_before"), .key("lease_owner", 255).optional,
            .integer("lease_expires").optional, .integer("fence"), .text("error").optional, .integer("created"),
            .integer("updated"), .mark("live", where: "state IN ('ready', 'running')"),
        ],
        primaryKey: ["seq"],
        indexes: [
            SchemaIndex(name: "journal_id", columns: ["id"], isUnique: true),
            SchemaIndex(name: "journal_request", columns: ["request_id"]),
            SchemaIndex(name: "journal_live", columns: ["live", "seq"]),
            SchemaIndex(name: "journal_live_resource", columns: ["resource_id", "live", "seq"]),
        ]
    )

    private static let ledger = SchemaTable(
        name: "ledger",
        columns: [.key("kind"), .key("tag", 255), .key("owner_id"), .integer("created")],
        primaryKey: ["kind", "tag"],
        indexes: [SchemaIndex(name: "ledger_owner", columns: ["owner_id", "kind", "tag"])]
    )

    private static let bookkeepingTables = [
        SchemaTable(
            name: "quotas",
            columns: [.key("tenant_id"), .key("resource"), .integer("hard_limit")],
            primaryKey: ["tenant_id", "resource"]
        ),
        SchemaTable(
            name: "revocations",
            columns: [.key("token_digest", 255), .integer("expires")],
            primaryKey: ["token_digest"],
            indexes: [SchemaIndex(name: "revocations_expires", columns: ["expires"])]
        ),
    ]
}
