// SPDX-License-Identifier: Apache-2.0

extension RateBucketStatements {
    static func mariadb(locks: Bool) -> RateBucketStatements {
        RateBucketStatements(
            ensure: """
                INSERT INTO rate_buckets (tenant_id, verb, level, updated, leases) VALUES (?, ?, 0, ?, '{}')
                ON DUPLICATE KEY UPDATE verb = verb
                """,
            lock: "SELECT level, updated, leases FROM rate_buckets WHERE tenant_id = ? AND verb = ?"
                + (locks ? " FOR UPDATE" : ""),
            save: "UPDATE rate_buckets SET level = ?, updated = ?, leases = ? WHERE tenant_id = ? AND verb = ?",
            all: "SELECT verb, level, updated, leases FROM rate_buckets WHERE tenant_id = ?",
            purge: "DELETE FROM rate_buckets WHERE updated < ? ORDER BY updated LIMIT ?"
        )
    }
}

extension IdempotencyStatements {
    static func mariadb(locks: Bool) -> IdempotencyStatements {
        make(
            lockSuffix: locks ? " FOR UPDATE" : "",
            purge: "DELETE FROM idempotency_keys WHERE created < ? ORDER BY created LIMIT ?")
    }
}
