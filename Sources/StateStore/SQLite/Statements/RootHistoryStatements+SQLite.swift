// SPDX-License-Identifier: Apache-2.0

extension RootHistoryStatements {
    static let sqlite = RootHistoryStatements(
        record: """
            INSERT INTO root_enabled_history (id, user, created) VALUES (?, ?, ?)
            ON CONFLICT (id) DO UPDATE SET user = excluded.user, created = excluded.created
            """,
        find: "SELECT user, created FROM root_enabled_history WHERE id = ?",
        clear: "DELETE FROM root_enabled_history WHERE id = ?"
    )
}
