// SPDX-License-Identifier: Apache-2.0

extension DatastoreStatements {
    private static let selectVersion = """
        SELECT v.id, v.datastore_id, v.name, v.version, v.active, v.packages, v.plugins FROM datastore_versions v
        """

    static let sqlite = DatastoreStatements(
        all: "SELECT id, name, default_version_id FROM datastores ORDER BY name",
        find: """
            SELECT id, name, default_version_id FROM datastores WHERE id = ? OR name = ? ORDER BY id = ? DESC LIMIT 1
            """,
        versions: "\(selectVersion) WHERE v.datastore_id = ? ORDER BY v.name, v.version, v.id",
        allVersions: "\(selectVersion) ORDER BY v.datastore_id, v.name, v.version, v.id",
        version: "\(selectVersion) WHERE v.id = ?",
        upsert: """
            INSERT INTO datastores (id, name, default_version_id) VALUES (?, ?, ?)
            ON CONFLICT (id) DO UPDATE SET name = excluded.name, default_version_id = excluded.default_version_id
            """,
        upsertVersion: """
            INSERT INTO datastore_versions (id, datastore_id, name, version, active, packages, plugins)
            VALUES (?, ?, ?, ?, ?, ?, ?)
            ON CONFLICT (id) DO UPDATE
            SET datastore_id = excluded.datastore_id, name = excluded.name, version = excluded.version,
                active = excluded.active, packages = excluded.packages, plugins = excluded.plugins
            """
    )
}
