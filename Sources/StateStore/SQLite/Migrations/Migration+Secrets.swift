// SPDX-License-Identifier: Apache-2.0

extension Migration {
    /// What tenants keep in the key manager inside the control plane. Payloads are sealed.
    static let secrets = Migration(
        number: 11,
        name: "secrets",
        statements: [
            """
            CREATE TABLE secrets (
                id TEXT NOT NULL PRIMARY KEY,
                tenant_id TEXT NOT NULL,
                name TEXT,
                type TEXT NOT NULL,
                algorithm TEXT,
                cipher_mode TEXT,
                key_bits INTEGER,
                expires INTEGER,
                content_type TEXT,
                payload TEXT,
                creator_id TEXT NOT NULL,
                created INTEGER NOT NULL,
                updated INTEGER NOT NULL
            ) STRICT
            """,
            "CREATE INDEX secrets_tenant ON secrets (tenant_id, created, id)",
            """
            CREATE TABLE secret_containers (
                id TEXT NOT NULL PRIMARY KEY,
                tenant_id TEXT NOT NULL,
                name TEXT,
                type TEXT NOT NULL,
                creator_id TEXT NOT NULL,
                created INTEGER NOT NULL,
                updated INTEGER NOT NULL
            ) STRICT
            """,
            "CREATE INDEX secret_containers_tenant ON secret_containers (tenant_id, created, id)",
            """
            CREATE TABLE secret_container_members (
                container_id TEXT NOT NULL REFERENCES secret_containers (id),
                secret_id TEXT NOT NULL REFERENCES secrets (id),
                name TEXT,
                PRIMARY KEY (container_id, secret_id)
            ) STRICT, WITHOUT ROWID
            """,
            "CREATE INDEX secret_container_members_secret ON secret_container_members (secret_id)",
        ]
    )
}
