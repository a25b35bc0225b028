// SPDX-License-Identifier: Apache-2.0

extension ModuleStatements {
    // CROSS JOIN: see `InstanceStatements`.
    private static let instancesOf = """
        FROM instance_modules im CROSS JOIN instances i ON i.id = im.instance_id \
        WHERE im.module_id = ? AND i.deleted = 0
        """

    static let sqlite = ModuleStatements(
        insert: insert,
        find: "SELECT \(columns) FROM modules m WHERE m.id = ? AND m.deleted = 0",
        all: "SELECT \(columns) FROM modules m WHERE m.deleted = 0 ORDER BY m.name, m.id",
        ofProject: """
            SELECT \(columns) FROM modules m WHERE m.deleted = 0 AND (m.tenant_id = ? OR m.tenant_id IS NULL)
            ORDER BY m.name, m.id
            """,
        save: save, markDeleted: markDeleted,
        instances: """
            SELECT im.instance_id, im.md5, im.updated \(instancesOf) AND im.instance_id > ?
            ORDER BY im.instance_id LIMIT ?
            """,
        counts: """
            SELECT im.md5, COUNT(*), MIN(im.updated), MAX(im.updated) \(instancesOf) GROUP BY im.md5 ORDER BY im.md5
            """,
        put: """
            INSERT INTO instance_modules (instance_id, module_id, md5, created, updated) VALUES (?, ?, ?, ?, ?)
            ON CONFLICT (module_id, instance_id) DO UPDATE SET md5 = excluded.md5, updated = excluded.updated
            """,
        remove: remove
    )
}
