// SPDX-License-Identifier: Apache-2.0

extension Migration {
    /// What administrators ask for: pages of instances by their last change, and datastore versions that they make themselves.
    /// Versions and datastores that were removed stay for the names of what had them; a program of the release before takes
    /// them for ones that are not active.
    static let management = Migration(
        number: 5,
        name: "management",
        statements: [
            "CREATE INDEX instances_changed ON instances (deleted, updated, id)",
            "CREATE INDEX instances_tenant_changed ON instances (tenant_id, deleted, updated, id)",
            "CREATE INDEX instances_host ON instances (deleted, compute_host, id)",
            "ALTER TABLE datastores ADD COLUMN deleted INTEGER NOT NULL DEFAULT 0",
            "ALTER TABLE datastore_versions ADD COLUMN manager TEXT",
            "ALTER TABLE datastore_versions ADD COLUMN image_id TEXT",
            "ALTER TABLE datastore_versions ADD COLUMN image_tags TEXT",
            "ALTER TABLE datastore_versions ADD COLUMN registry_ext TEXT",
            "ALTER TABLE datastore_versions ADD COLUMN repl_strategy TEXT",
            "ALTER TABLE datastore_versions ADD COLUMN source_file TEXT",
            "ALTER TABLE datastore_versions ADD COLUMN deleted INTEGER NOT NULL DEFAULT 0",
        ]
    )
}
