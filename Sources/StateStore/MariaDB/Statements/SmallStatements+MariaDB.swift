// SPDX-License-Identifier: Apache-2.0

extension FaultStatements {
    static let mariadb = FaultStatements(
        save: """
            INSERT INTO instance_faults (instance_id, message, details, created, updated) VALUES (?, ?, ?, ?, ?)
            ON DUPLICATE KEY UPDATE message = VALUES(message), details = VALUES(details), created = VALUES(created),
                updated = VALUES(updated)
            """,
        find: "SELECT instance_id, message, details, created, updated FROM instance_faults WHERE instance_id = ?",
        clear: "DELETE FROM instance_faults WHERE instance_id = ?"
    )
}

extension LedgerStatements {
    static func mariadb(_ list: JSONList) -> LedgerStatements {
        LedgerStatements(
            add: """
                INSERT INTO ledger (kind, tag, owner_id, created) VALUES (?, ?, ?, ?)
                ON DUPLICATE KEY UPDATE kind = kind
                """,
            strike: "DELETE FROM ledger WHERE kind = ? AND tag = ?",
            strikeKinds: "DELETE FROM ledger WHERE owner_id = ? AND kind IN \(list.texts)",
            all: "SELECT kind, tag, owner_id, created FROM ledger ORDER BY kind, tag",
            owned: "SELECT kind, tag, owner_id, created FROM ledger WHERE owner_id = ? ORDER BY kind, tag"
        )
    }
}

extension QuotaStatements {
    static let mariadb = QuotaStatements(
        // The row stays locked until the transaction's end; members of a cluster refuse the second of two such commits.
        beginAdmission: """
            INSERT INTO quota_admissions (tenant_id, admissions) VALUES (?, 1)
            ON DUPLICATE KEY UPDATE admissions = admissions + 1
            """,
        instances: """
            SELECT flavor_id, COUNT(*), CAST(SUM(volume_size) AS SIGNED)
            FROM instances FORCE INDEX (instances_usage)
            WHERE tenant_id = ? AND deleted = 0 GROUP BY flavor_id
            """,
        resizes: """
            SELECT input FROM journal FORCE INDEX (journal_live) WHERE live = 1 AND tenant_id = ?
            AND flow IN ('resize_volume', 'resize_flavor')
            """,
        backups: "SELECT COUNT(*) FROM backups WHERE tenant_id = ? AND deleted = 0",
        limits: "SELECT resource, hard_limit FROM quotas WHERE tenant_id = ?",
        setLimit: """
            INSERT INTO quotas (tenant_id, resource, hard_limit) VALUES (?, ?, ?)
            ON DUPLICATE KEY UPDATE hard_limit = VALUES(hard_limit)
            """
    )
}

extension RootHistoryStatements {
    static let mariadb = RootHistoryStatements(
        record: """
            INSERT INTO root_enabled_history (id, `user`, created) VALUES (?, ?, ?)
            ON DUPLICATE KEY UPDATE `user` = VALUES(`user`), created = VALUES(created)
            """,
        find: "SELECT `user`, created FROM root_enabled_history WHERE id = ?",
        clear: "DELETE FROM root_enabled_history WHERE id = ?"
    )
}

extension LastSeenStatements {
    static func mariadb(_ list: JSONList) -> LastSeenStatements {
        let marks = list.table(
            "r", ("instance_id", .varchar(64), "$[0]"), ("method_name", .varchar(64), "$[1]"),
            ("sent", .double, "$[2]"))
        let names = "instance_id, method_name, sent"
        return .batch(
            LastSeenBatchStatements(
                lock: """
                    SELECT l.instance_id, l.method_name, l.sent FROM \(marks)
                    STRAIGHT_JOIN conductor_lastseen l FORCE INDEX (PRIMARY)
                        ON l.instance_id = r.instance_id AND l.method_name = r.method_name
                    FOR UPDATE
                    """,
                ensure: """
                    INSERT INTO conductor_lastseen (\(names)) SELECT r.instance_id, r.method_name, r.sent FROM \(marks)
                    ON DUPLICATE KEY UPDATE conductor_lastseen.sent = conductor_lastseen.sent
                    """,
                // An update of a join would go by way of a temporary table.
                put: """
                    INSERT INTO conductor_lastseen (\(names)) SELECT r.instance_id, r.method_name, r.sent FROM \(marks)
                    ON DUPLICATE KEY UPDATE conductor_lastseen.sent = VALUES(sent)
                    """
            ))
    }
}

extension RevocationStatements {
    static let mariadb = RevocationStatements(
        revoke: """
            INSERT INTO revocations (token_digest, expires) VALUES (?, ?)
            ON DUPLICATE KEY UPDATE expires = GREATEST(expires, VALUES(expires))
            """,
        find: "SELECT 1 FROM revocations WHERE token_digest = ?",
        purge: "DELETE FROM revocations WHERE expires <= ?",
        all: "SELECT token_digest FROM revocations ORDER BY token_digest"
    )
}

extension PluginValueStatements {
    static let mariadb = PluginValueStatements(
        find: "SELECT value, revision FROM plugin_values WHERE plugin_id = ? AND `key` = ?",
        put: "REPLACE INTO plugin_values (plugin_id, `key`, value) VALUES (?, ?, ?)",
        remove: "DELETE FROM plugin_values WHERE plugin_id = ? AND `key` = ?",
        count: "SELECT COUNT(*) FROM plugin_values WHERE plugin_id = ?",
        list: """
            SELECT `key`, revision FROM plugin_values WHERE plugin_id = ? AND `key` >= ? AND `key` > ? AND `key` < ?
            ORDER BY `key` LIMIT ?
            """
    )
}

extension LeaseStatements {
    private static let select = "SELECT name, owner, fence, expires FROM leases WHERE owner <> ''"

    static let mariadb = LeaseStatements(
        ensure: """
            INSERT INTO leases (name, owner, fence, expires) VALUES (?, '', 0, 0) ON DUPLICATE KEY UPDATE name = name
            """,
        lock: "SELECT owner, fence, expires FROM leases WHERE name = ? FOR UPDATE",
        take: "UPDATE leases SET owner = ?, fence = ?, expires = ? WHERE name = ?",
        release: "UPDATE leases SET owner = '', expires = 0 WHERE name = ? AND owner = ?",
        find: "\(select) AND name = ?",
        all: "\(select) ORDER BY name"
    )
}
