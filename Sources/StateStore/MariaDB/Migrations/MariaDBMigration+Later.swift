// SPDX-License-Identifier: Apache-2.0

extension MariaDBMigration {
    /// A revision is never given twice, also after a removal: servers keep the counter.
    static let pluginValues = MariaDBMigration(
        number: 2, name: "plugin values",
        changes: [
            .create(
                SchemaTable(
                    name: "plugin_values",
                    columns: [.counter("revision"), .key("plugin_id", 255), .key("key", 255), .text("value")],
                    primaryKey: ["revision"],
                    indexes: [SchemaIndex(name: "plugin_values_key", columns: ["plugin_id", "key"], isUnique: true)]
                ))
        ]
    )

    /// Several processes on several hosts: see SQLite's migration of this name. What a project admits is counted, so that
    /// transactions that admit something for it come one after the other.
    static let sharedWork = MariaDBMigration(
        number: 3, name: "shared work",
        changes: [
            .create(
                SchemaTable(
                    name: "leases",
                    columns: [.key("name", 255), .key("owner", 255), .integer("fence"), .integer("expires")],
                    primaryKey: ["name"]
                )),
            .create(
                SchemaTable(
                    name: "quota_admissions",
                    columns: [.key("tenant_id"), .integer("admissions")],
                    primaryKey: ["tenant_id"]
                )),
            .addColumn(table: "instances", .text("encrypted_key").optional),
            .addColumn(table: "instances", .key("compute_host", 255).optional),
            .addColumn(table: "journal", .key("host", 255).optional),
        ]
    )

    /// What several API processes let through together: see SQLite's migration of this name.
    static let admission = MariaDBMigration(
        number: 4, name: "admission",
        changes: [
            .create(
                SchemaTable(
                    name: "rate_buckets",
                    columns: [
                        .key("tenant_id"), .key("verb", 16), SchemaColumn(name: "level", kind: .double),
                        .integer("updated"), .text("leases"),
                    ],
                    primaryKey: ["tenant_id", "verb"],
                    indexes: [SchemaIndex(name: "rate_buckets_updated", columns: ["updated"])]
                )),
            .create(
                SchemaTable(
                    name: "idempotency_keys",
                    columns: [
                        .key("id"), .key("tenant_id"), .key("route", 255), .key("request_digest"),
                        .integer("status").optional, .text("answer").optional, .key("owner", 255),
                        .integer("lease_expires"), .flag("accepted").defaulting(to: "0"), .integer("created"),
                    ],
                    primaryKey: ["id"],
                    indexes: [SchemaIndex(name: "idempotency_keys_created", columns: ["created"])]
                )),
        ]
    )
}
