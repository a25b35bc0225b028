// SPDX-License-Identifier: Apache-2.0

extension Migration {
    /// Configuration groups with their values (JSON texts), the group of an instance, and parameters that administrators
    /// define.
    static let configurationGroups = Migration(
        number: 6,
        name: "configuration groups",
        statements: [
            """
            CREATE TABLE configurations (
                id TEXT NOT NULL PRIMARY KEY,
                name TEXT NOT NULL,
                description TEXT,
                tenant_id TEXT NOT NULL,
                datastore_version_id TEXT NOT NULL REFERENCES datastore_versions (id),
                created INTEGER NOT NULL,
                updated INTEGER NOT NULL,
                deleted INTEGER NOT NULL DEFAULT 0 CHECK (deleted IN (0, 1)),
                deleted_at INTEGER
            ) STRICT
            """,
            "CREATE INDEX configurations_tenant ON configurations (tenant_id, deleted, id)",
            "CREATE INDEX configurations_live ON configurations (deleted, id)",
            "CREATE INDEX configurations_datastore_version ON configurations (datastore_version_id)",
            """
            CREATE TABLE configuration_parameters (
                configuration_id TEXT NOT NULL REFERENCES configurations (id),
                configuration_key TEXT NOT NULL,
                configuration_value TEXT NOT NULL,
                PRIMARY KEY (configuration_id, configuration_key)
            ) STRICT, WITHOUT ROWID
            """,
            """
            CREATE TABLE datastore_configuration_parameters (
                id TEXT NOT NULL PRIMARY KEY,
                datastore_version_id TEXT NOT NULL REFERENCES datastore_versions (id),
                name TEXT NOT NULL,
                restart_required INTEGER NOT NULL CHECK (restart_required IN (0, 1)),
                data_type TEXT NOT NULL,
                max_size INTEGER,
                min_size INTEGER,
                UNIQUE (datastore_version_id, name)
            ) STRICT
            """,
            "ALTER TABLE instances ADD COLUMN configuration_id TEXT",
            "CREATE INDEX instances_configuration ON instances (configuration_id, deleted, id)",
        ]
    )
}
