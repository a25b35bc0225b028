// SPDX-License-Identifier: Apache-2.0

extension IdempotencyStatements {
    /// - Parameters:
    ///   - lockSuffix: Keeps a row that is read from being changed.
    ///   - purge: Removes the oldest rows, which each dialect bounds in its own way.
    static func make(lockSuffix: String, purge: String) -> IdempotencyStatements {
        IdempotencyStatements(
            lock: """
                SELECT request_digest, status, answer, lease_expires, accepted, created FROM idempotency_keys
                WHERE id = ?\(lockSuffix)
                """,
            insert: """
                INSERT INTO idempotency_keys (tenant_id, route, request_digest, owner, lease_expires, created, id)
                VALUES (?, ?, ?, ?, ?, ?, ?)
                """,
            restart: """
                UPDATE idempotency_keys SET tenant_id = ?, route = ?, request_digest = ?, owner = ?, lease_expires = ?,
                    created = ?, status = NULL, answer = NULL, accepted = 0
                WHERE id = ?
                """,
            accept: "UPDATE idempotency_keys SET accepted = 1 WHERE id = ? AND owner = ? AND status IS NULL",
            finish: "UPDATE idempotency_keys SET status = ?, answer = ? WHERE id = ? AND owner = ? AND status IS NULL",
            release: "DELETE FROM idempotency_keys WHERE id = ? AND owner = ? AND accepted = 0 AND status IS NULL",
            expire: "UPDATE idempotency_keys SET lease_expires = 0 WHERE id = ? AND owner = ? AND status IS NULL",
            purge: purge
        )
    }

    /// The transaction is the only one that writes.
    static let sqlite = make(
        lockSuffix: "",
        purge: """
            DELETE FROM idempotency_keys WHERE id IN
                (SELECT id FROM idempotency_keys WHERE created < ? ORDER BY created LIMIT ?)
            """)
}
