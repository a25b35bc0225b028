// SPDX-License-Identifier: Apache-2.0

extension ModuleStatements {
    /// See `InstanceStatements` for why every join is told its way.
    private static let instancesOf = """
        FROM instance_modules im FORCE INDEX (PRIMARY) \
        STRAIGHT_JOIN instances i FORCE INDEX (PRIMARY) ON i.id = im.instance_id \
        WHERE im.module_id = ? AND i.deleted = 0
        """

    static func mariadb(locks: Bool) -> ModuleStatements {
        ModuleStatements(
            insert: insert,
            find: "SELECT \(columns) FROM modules m WHERE m.id = ? AND m.deleted = 0" + (locks ? " FOR UPDATE" : ""),
            all: """
                SELECT \(columns) FROM modules m FORCE INDEX (modules_live) WHERE m.deleted = 0 ORDER BY m.name, m.id
                """,
            ofProject: """
                SELECT \(columns) FROM modules m FORCE INDEX (modules_live)
                WHERE m.deleted = 0 AND (m.tenant_id = ? OR m.tenant_id IS NULL) ORDER BY m.name, m.id
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
                ON DUPLICATE KEY UPDATE md5 = VALUES(md5), updated = VALUES(updated)
                """,
            remove: remove
        )
    }
}
