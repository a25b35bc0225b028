// SPDX-License-Identifier: Apache-2.0

extension Migration {
    /// Several processes on several hosts: leases, the host that an instance and its operations belong to, and the key
    /// under which an instance's messages are sealed.
    static let sharedWork = Migration(
        number: 3,
        name: "shared work",
        statements: [
            """
            CREATE TABLE leases (
                name TEXT NOT NULL PRIMARY KEY,
                owner TEXT NOT NULL,
                fence INTEGER NOT NULL,
                expires INTEGER NOT NULL
            ) STRICT, WITHOUT ROWID
            """,
            "ALTER TABLE instances ADD COLUMN encrypted_key TEXT",
            "ALTER TABLE instances ADD COLUMN compute_host TEXT",
            "ALTER TABLE journal ADD COLUMN host TEXT",
        ]
    )
}
