// SPDX-License-Identifier: Apache-2.0

extension LedgerStatements {
    static let sqlite = LedgerStatements(
        add: """
            INSERT INTO ledger (kind, tag, owner_id, created) VALUES (?, ?, ?, ?) ON CONFLICT (kind, tag) DO NOTHING
            """,
        strike: "DELETE FROM ledger WHERE kind = ? AND tag = ?",
        strikeKinds: "DELETE FROM ledger WHERE owner_id = ? AND kind IN (SELECT value FROM json_each(?))",
        all: "SELECT kind, tag, owner_id, created FROM ledger ORDER BY kind, tag",
        owned: "SELECT kind, tag, owner_id, created FROM ledger WHERE owner_id = ? ORDER BY kind, tag"
    )
}
