// SPDX-License-Identifier: Apache-2.0

extension FaultStatements {
    static let sqlite = FaultStatements(
        save: """
            INSERT INTO instance_faults (instance_id, message, details, created, updated) VALUES (?, ?, ?, ?, ?)
            ON CONFLICT (instance_id) DO UPDATE
            SET message = excluded.message, details = excluded.details, created = excluded.created,
                updated = excluded.updated
            """,
        find: "SELECT instance_id, message, details, created, updated FROM instance_faults WHERE instance_id = ?",
        clear: "DELETE FROM instance_faults WHERE instance_id = ?"
    )
}
