// SPDX-License-Identifier: Apache-2.0

extension MariaDBMigration {
    /// See SQLite's migration of this name.
    static let secrets = MariaDBMigration(
        number: 11, name: "secrets",
        changes: [
            .create(
                SchemaTable(
                    name: "secrets",
                    columns: [
                        .key("id"), .key("tenant_id"), .key("name", 255).optional, .key("type"),
                        .key("algorithm", 255).optional, .key("cipher_mode", 255).optional,
                        .integer("key_bits").optional, .integer("expires").optional, .key("content_type").optional,
                        .text("payload").optional, .key("creator_id", 255), .integer("created"), .integer("updated"),
                    ],
                    primaryKey: ["id"],
                    indexes: [SchemaIndex(name: "secrets_tenant", columns: ["tenant_id", "created", "id"])]
                )),
            .create(
                SchemaTable(
                    name: "secret_containers",
                    columns: [
                        .key("id"), .key("tenant_id"), .key("name", 255).optional, .key("type"),
                        .key("creator_id", 255), .integer("created"), .integer("updated"),
                    ],
                    primaryKey: ["id"],
                    indexes: [SchemaIndex(name: "secret_containers_tenant", columns: ["tenant_id", "created", "id"])]
                )),
            .create(
                SchemaTable(
                    name: "secret_container_members",
                    columns: [.key("container_id"), .key("secret_id"), .key("name", 255).optional],
                    primaryKey: ["container_id", "secret_id"],
                    indexes: [SchemaIndex(name: "secret_container_members_secret", columns: ["secret_id"])],
                    references: [
                        SchemaReference(column: "container_id", table: "secret_containers"),
                        SchemaReference(column: "secret_id", table: "secrets"),
                    ]
                )),
        ]
    )
}
