// SPDX-License-Identifier: Apache-2.0

extension DatastoreStatements {
    private static let selectVersion = """
        SELECT v.id, v.datastore_id, v.name, v.version, v.active, v.packages, v.plugins, v.manager, v.image_id, \
        v.image_tags, v.registry_ext, v.repl_strategy, v.source_file FROM datastore_versions v
        """

    static let mariadb = DatastoreStatements(
        all: "SELECT id, name, default_version_id FROM datastores WHERE deleted = 0 ORDER BY name",
        find: """
            SELECT id, name, default_version_id FROM datastores WHERE (id = ? OR name = ?) AND deleted = 0
            ORDER BY id = ? DESC LIMIT 1
            """,
        versions: "\(selectVersion) WHERE v.datastore_id = ? AND v.deleted = 0 ORDER BY v.name, v.version, v.id",
        allVersions: "\(selectVersion) WHERE v.deleted = 0 ORDER BY v.datastore_id, v.name, v.version, v.id",
        version: "\(selectVersion) WHERE v.id = ? AND v.deleted = 0",
        // By the id alone: a name that another row has is a conflict, and this form would change that row.
        upsert: .steps(
            update: "UPDATE datastores SET name = ?, default_version_id = ?, deleted = 0 WHERE id = ?",
            insert: "INSERT INTO datastores (name, default_version_id, id) VALUES (?, ?, ?)"),
        upsertVersion: .steps(
            update: """
                UPDATE datastore_versions
                SET datastore_id = ?, name = ?, version = ?, active = ?, packages = ?, plugins = ?, manager = ?,
                    image_id = ?, image_tags = ?, registry_ext = ?, repl_strategy = ?, source_file = ?, deleted = 0
                WHERE id = ?
                """,
            insert: """
                INSERT INTO datastore_versions (datastore_id, name, version, active, packages, plugins, manager,
                    image_id, image_tags, registry_ext, repl_strategy, source_file, id)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                """),
        users: """
            SELECT EXISTS (SELECT 1 FROM instances WHERE datastore_version_id = ? AND deleted = 0),
                EXISTS (SELECT 1 FROM backups WHERE datastore_version_id = ? AND deleted = 0),
                EXISTS (SELECT 1 FROM configurations WHERE datastore_version_id = ? AND deleted = 0)
            """,
        // See SQLite's statement.
        removeVersion: """
            UPDATE datastore_versions SET active = 0, deleted = 1, version = CONCAT(LEFT(version, 180), '~', id)
            WHERE id = ? AND deleted = 0
            """,
        clearDefault: "UPDATE datastores SET default_version_id = NULL WHERE default_version_id = ?",
        remove: "UPDATE datastores SET deleted = 1, default_version_id = NULL WHERE id = ? AND deleted = 0",
        removed: "SELECT id FROM datastores WHERE name = ? AND deleted = 1"
    )
}
