// SPDX-License-Identifier: Apache-2.0

extension Migration {
    /// Clusters, which instances are their members, and where backups go.
    static let clusters = Migration(
        number: 7,
        name: "clusters and backup strategies",
        statements: [
            """
            CREATE TABLE clusters (
                id TEXT NOT NULL PRIMARY KEY,
                name TEXT NOT NULL,
                task_id INTEGER NOT NULL,
                tenant_id TEXT NOT NULL,
                datastore_version_id TEXT NOT NULL REFERENCES datastore_versions (id),
                configuration_id TEXT,
                created INTEGER NOT NULL,
                updated INTEGER NOT NULL,
                deleted INTEGER NOT NULL DEFAULT 0 CHECK (deleted IN (0, 1)),
                deleted_at INTEGER
            ) STRICT
            """,
            "CREATE INDEX clusters_tenant ON clusters (tenant_id, deleted, id)",
            "CREATE INDEX clusters_datastore_version ON clusters (datastore_version_id)",
            "ALTER TABLE instances ADD COLUMN cluster_id TEXT",
            "ALTER TABLE instances ADD COLUMN shard_id TEXT",
            "ALTER TABLE instances ADD COLUMN type TEXT",
            "CREATE INDEX instances_cluster ON instances (cluster_id, deleted, id)",
            """
            CREATE TABLE backup_strategy (
                id TEXT NOT NULL PRIMARY KEY,
                tenant_id TEXT NOT NULL,
                instance_id TEXT NOT NULL,
                backend TEXT NOT NULL,
                swift_container TEXT NOT NULL,
                UNIQUE (tenant_id, instance_id)
            ) STRICT
            """,
            "ALTER TABLE backups ADD COLUMN container TEXT",
        ]
    )
}
