// SPDX-License-Identifier: Apache-2.0

extension Migration {
    /// Tables and columns are named as in the reference service where it has them. Times are microseconds since 1970,
    /// documents JSON text, flags 0 or 1.
    static let firstRelease = Migration(
        number: 1,
        name: "first release",
        statements: datastoreTables + instanceTables + backupTables + journalTables + bookkeepingTables
    )

    private static let datastoreTables = [
        """
        CREATE TABLE datastores (
            id TEXT NOT NULL PRIMARY KEY,
            name TEXT NOT NULL UNIQUE,
            default_version_id TEXT
        ) STRICT
        """,
        """
        CREATE TABLE datastore_versions (
            id TEXT NOT NULL PRIMARY KEY,
            datastore_id TEXT NOT NULL REFERENCES datastores (id),
            name TEXT NOT NULL,
            version TEXT NOT NULL,
            active INTEGER NOT NULL CHECK (active IN (0, 1)),
            packages TEXT NOT NULL,
            plugins TEXT NOT NULL,
            UNIQUE (datastore_id, name, version)
        ) STRICT
        """,
    ]

    private static let instanceTables = [
        """
        CREATE TABLE instances (
            id TEXT NOT NULL PRIMARY KEY,
            name TEXT NOT NULL,
            tenant_id TEXT NOT NULL,
            flavor_id TEXT NOT NULL,
            volume_size INTEGER NOT NULL,
            datastore_version_id TEXT NOT NULL REFERENCES datastore_versions (id),
            created INTEGER NOT NULL,
            updated INTEGER NOT NULL,
            deleted INTEGER NOT NULL DEFAULT 0 CHECK (deleted IN (0, 1)),
            deleted_at INTEGER,
            task_id INTEGER NOT NULL,
            task_start_time INTEGER,
            compute_instance_id TEXT,
            server_status TEXT NOT NULL,
            address TEXT,
            region_id TEXT,
            access TEXT,
            plugins TEXT NOT NULL,
            version INTEGER NOT NULL DEFAULT 0
        ) STRICT
        """,
        "CREATE INDEX instances_tenant ON instances (tenant_id, deleted, id)",
        "CREATE INDEX instances_live ON instances (deleted, id)",
        // Covers the quota sums.
        "CREATE INDEX instances_usage ON instances (tenant_id, deleted, flavor_id, volume_size)",
        "CREATE INDEX instances_datastore_version ON instances (datastore_version_id)",
        """
        CREATE TABLE service_statuses (
            id INTEGER PRIMARY KEY,
            instance_id TEXT NOT NULL UNIQUE REFERENCES instances (id),
            status_id INTEGER NOT NULL,
            status_description TEXT NOT NULL,
            updated_at INTEGER NOT NULL,
            volume_used INTEGER
        ) STRICT
        """,
        """
        CREATE TABLE instance_faults (
            id INTEGER PRIMARY KEY,
            instance_id TEXT NOT NULL UNIQUE REFERENCES instances (id),
            message TEXT NOT NULL,
            details TEXT,
            created INTEGER NOT NULL,
            updated INTEGER NOT NULL
        ) STRICT
        """,
        """
        CREATE TABLE root_enabled_history (
            id TEXT NOT NULL PRIMARY KEY,
            user TEXT NOT NULL,
            created INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID
        """,
        """
        CREATE TABLE conductor_lastseen (
            instance_id TEXT NOT NULL,
            method_name TEXT NOT NULL,
            sent REAL NOT NULL,
            PRIMARY KEY (instance_id, method_name)
        ) STRICT, WITHOUT ROWID
        """,
    ]

    private static let backupTables = [
        """
        CREATE TABLE backups (
            id TEXT NOT NULL PRIMARY KEY,
            name TEXT NOT NULL,
            description TEXT,
            tenant_id TEXT NOT NULL,
            instance_id TEXT,
            parent_id TEXT REFERENCES backups (id),
            state TEXT NOT NULL,
            location TEXT,
            size_bytes INTEGER,
            checksum TEXT,
            backup_type TEXT,
            datastore_version_id TEXT NOT NULL REFERENCES datastore_versions (id),
            position TEXT,
            created INTEGER NOT NULL,
            updated INTEGER NOT NULL,
            deleted INTEGER NOT NULL DEFAULT 0 CHECK (deleted IN (0, 1)),
            deleted_at INTEGER
        ) STRICT
        """,
        "CREATE INDEX backups_tenant ON backups (tenant_id, deleted, updated, id)",
        "CREATE INDEX backups_instance ON backups (instance_id, deleted, updated, id)",
        "CREATE INDEX backups_live ON backups (deleted, updated, id)",
        "CREATE INDEX backups_parent ON backups (parent_id, deleted, created, id)",
        "CREATE INDEX backups_datastore_version ON backups (datastore_version_id)",
        """
        CREATE INDEX backups_running ON backups (instance_id)
            WHERE deleted = 0 AND state IN ('NEW', 'BUILDING', 'SAVING')
        """,
    ]

    private static let journalTables = [
        """
        CREATE TABLE journal (
            seq INTEGER PRIMARY KEY AUTOINCREMENT,
            id TEXT NOT NULL UNIQUE,
            request_id TEXT NOT NULL,
            tenant_id TEXT NOT NULL,
            user_id TEXT NOT NULL,
            flow TEXT NOT NULL,
            resource_id TEXT NOT NULL,
            input TEXT NOT NULL,
            state TEXT NOT NULL CHECK (state IN ('ready', 'running', 'done', 'failed')),
            step TEXT NOT NULL,
            step_is_done INTEGER NOT NULL CHECK (step_is_done IN (0, 1)),
            scratch TEXT NOT NULL,
            attempt INTEGER NOT NULL,
            not_before INTEGER NOT NULL,
            lease_owner TEXT,
            lease_expires INTEGER,
            fence INTEGER NOT NULL,
            error TEXT,
            created INTEGER NOT NULL,
            updated INTEGER NOT NULL,
            CHECK (state <> 'running' OR lease_expires IS NOT NULL)
        ) STRICT
        """,
        "CREATE INDEX journal_request ON journal (request_id)",
        "CREATE INDEX journal_live ON journal (seq) WHERE state IN ('ready', 'running')",
        "CREATE INDEX journal_live_resource ON journal (resource_id, seq) WHERE state IN ('ready', 'running')",
        """
        CREATE TABLE ledger (
            kind TEXT NOT NULL,
            tag TEXT NOT NULL,
            owner_id TEXT NOT NULL,
            created INTEGER NOT NULL,
            PRIMARY KEY (kind, tag)
        ) STRICT, WITHOUT ROWID
        """,
        "CREATE INDEX ledger_owner ON ledger (owner_id, kind, tag)",
    ]

    private static let bookkeepingTables = [
        """
        CREATE TABLE quotas (
            id INTEGER PRIMARY KEY,
            tenant_id TEXT NOT NULL,
            resource TEXT NOT NULL,
            hard_limit INTEGER NOT NULL,
            UNIQUE (tenant_id, resource)
        ) STRICT
        """,
        """
        CREATE TABLE revocations (
            token_digest TEXT NOT NULL PRIMARY KEY,
            expires INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID
        """,
        "CREATE INDEX revocations_expires ON revocations (expires)",
    ]
}
