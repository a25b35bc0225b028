// SPDX-License-Identifier: Apache-2.0

extension RevocationStatements {
    static let sqlite = RevocationStatements(
        revoke: """
            INSERT INTO revocations (token_digest, expires) VALUES (?, ?)
            ON CONFLICT (token_digest) DO UPDATE SET expires = MAX(expires, excluded.expires)
            """,
        find: "SELECT 1 FROM revocations WHERE token_digest = ?",
        purge: "DELETE FROM revocations WHERE expires <= ?",
        all: "SELECT token_digest FROM revocations ORDER BY token_digest"
    )
}
