// SPDX-License-Identifier: Apache-2.0

extension Migration {
    /// What several API processes let through together: rates, and requests that must not be done twice.
    static let admission = Migration(
        number: 4,
        name: "admission",
        statements: [
            """
            CREATE TABLE rate_buckets (
                tenant_id TEXT NOT NULL,
                verb TEXT NOT NULL,
                level REAL NOT NULL,
                updated INTEGER NOT NULL,
                leases TEXT NOT NULL,
                PRIMARY KEY (tenant_id, verb)
            ) STRICT, WITHOUT ROWID
            """,
            "CREATE INDEX rate_buckets_updated ON rate_buckets (updated)",
            """
            CREATE TABLE idempotency_keys (
                id TEXT NOT NULL PRIMARY KEY,
                tenant_id TEXT NOT NULL,
                route TEXT NOT NULL,
                request_digest TEXT NOT NULL,
                status INTEGER,
                answer TEXT,
                owner TEXT NOT NULL,
                lease_expires INTEGER NOT NULL,
                accepted INTEGER NOT NULL DEFAULT 0 CHECK (accepted IN (0, 1)),
                created INTEGER NOT NULL
            ) STRICT
            """,
            "CREATE INDEX idempotency_keys_created ON idempotency_keys (created)",
        ]
    )
}
