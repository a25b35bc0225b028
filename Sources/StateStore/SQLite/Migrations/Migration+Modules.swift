// SPDX-License-Identifier: Apache-2.0

extension Migration {
    /// Modules, and which instances have them.
    static let modules = Migration(
        number: 8,
        name: "modules",
        statements: [
            """
            CREATE TABLE modules (
                id TEXT NOT NULL PRIMARY KEY,
                name TEXT NOT NULL,
                type TEXT NOT NULL,
                contents TEXT NOT NULL,
                description TEXT,
                tenant_id TEXT,
                datastore_id TEXT,
                datastore_version_id TEXT,
                auto_apply INTEGER NOT NULL CHECK (auto_apply IN (0, 1)),
                visible INTEGER NOT NULL CHECK (visible IN (0, 1)),
                live_update INTEGER NOT NULL CHECK (live_update IN (0, 1)),
                priority_apply INTEGER NOT NULL CHECK (priority_apply IN (0, 1)),
                apply_order INTEGER NOT NULL,
                is_admin INTEGER NOT NULL CHECK (is_admin IN (0, 1)),
                md5 TEXT NOT NULL,
                created INTEGER NOT NULL,
                updated INTEGER NOT NULL,
                deleted INTEGER NOT NULL DEFAULT 0 CHECK (deleted IN (0, 1)),
                deleted_at INTEGER
            ) STRICT
            """,
            "CREATE INDEX modules_live ON modules (deleted, name, id)",
            """
            CREATE TABLE instance_modules (
                module_id TEXT NOT NULL REFERENCES modules (id),
                instance_id TEXT NOT NULL REFERENCES instances (id),
                md5 TEXT NOT NULL,
                created INTEGER NOT NULL,
                updated INTEGER NOT NULL,
                PRIMARY KEY (module_id, instance_id)
            ) STRICT, WITHOUT ROWID
            """,
            "CREATE INDEX instance_modules_instance ON instance_modules (instance_id)",
        ]
    )
}
