// SPDX-License-Identifier: Apache-2.0

extension RateBucketStatements {
    static let sqlite = RateBucketStatements(
        ensure: """
            INSERT INTO rate_buckets (tenant_id, verb, level, updated, leases) VALUES (?, ?, 0, ?, '{}')
            ON CONFLICT (tenant_id, verb) DO NOTHING
            """,
        // The transaction is the only one that writes.
        lock: "SELECT level, updated, leases FROM rate_buckets WHERE tenant_id = ? AND verb = ?",
        save: "UPDATE rate_buckets SET level = ?, updated = ?, leases = ? WHERE tenant_id = ? AND verb = ?",
        all: "SELECT verb, level, updated, leases FROM rate_buckets WHERE tenant_id = ?",
        purge: """
            DELETE FROM rate_buckets WHERE (tenant_id, verb) IN
                (SELECT tenant_id, verb FROM rate_buckets WHERE updated < ? ORDER BY updated LIMIT ?)
            """
    )
}
