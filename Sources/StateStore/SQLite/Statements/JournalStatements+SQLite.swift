// SPDX-License-Identifier: Apache-2.0

extension JournalStatements {
    private static let columns = """
        id, request_id, tenant_id, user_id, flow, resource_id, input, state, step, step_is_done, scratch, attempt, \
        not_before, host, lease_owner, lease_expires, fence, error, created, updated
        """

    /// Unfinished; must stay the text of the partial indexes `journal_live` and `journal_live_resource`.
    private static func isLive(_ table: String) -> String { "\(table).state IN ('ready', 'running')" }

    private static let due = "CASE j.state WHEN 'ready' THEN j.not_before ELSE j.lease_expires END"

    private static func isHeld(_ condition: String) -> String {
        """
        EXISTS (SELECT 1 FROM journal o WHERE o.resource_id = j.resource_id AND \(isLive("o")) \
        AND o.seq <> j.seq AND \(condition))
        """
    }

    static let sqlite = JournalStatements(
        insert: """
            INSERT INTO journal (\(columns))
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """,
        find: "SELECT \(columns) FROM journal WHERE id = ?",
        // One statement finds and takes the row, so two task managers never hold the same one. `seq` is the order of the
        // inserts' transactions, which clocks cannot disturb.
        claim: .one(
            """
            UPDATE journal
            SET state = 'running', lease_owner = ?, host = COALESCE(host, ?), lease_expires = ?, fence = fence + 1,
                updated = ?
            WHERE seq = (
                SELECT j.seq FROM journal j
                WHERE \(isLive("j")) AND (j.host IS NULL OR j.host = ?)
                    AND ((j.state = 'ready' AND j.not_before <= ?)
                        OR (j.state = 'running'
                            AND j.fence || '/' || j.lease_expires || '/' || j.id IN (SELECT value FROM json_each(?))))
                    AND j.resource_id NOT IN (SELECT value FROM json_each(?))
                    AND NOT \(isHeld("o.state = 'running' AND (j.state = 'ready' OR o.lease_expires > ?)"))
                ORDER BY j.seq LIMIT 1)
            RETURNING \(columns)
            """),
        expired: """
            SELECT id, fence, lease_expires FROM journal j
            WHERE \(isLive("j")) AND j.state = 'running' AND j.lease_expires <= ? ORDER BY j.seq
            """,
        nextDue: """
            SELECT MIN(\(due)) FROM journal j
            WHERE \(isLive("j")) AND (j.host IS NULL OR j.host = ?)
                AND (j.state = 'running' OR NOT \(isHeld("o.state = 'running'")))
            """,
        hasten: """
            UPDATE journal AS j SET not_before = ? WHERE \(isLive("j")) AND j.state = 'ready' AND j.not_before > ?
            """,
        renew: "UPDATE journal SET lease_expires = ? WHERE id = ? AND fence = ? AND state = 'running'",
        record: """
            UPDATE journal SET step = ?, step_is_done = ?, scratch = ?, attempt = ?, updated = ?
            WHERE id = ? AND fence = ? AND state = 'running'
            """,
        postpone: """
            UPDATE journal
            SET state = 'ready', not_before = ?, error = ?, updated = ?, lease_owner = NULL, lease_expires = NULL
            WHERE id = ? AND fence = ? AND state = 'running'
            """,
        finish: """
            UPDATE journal
            SET state = ?, error = ?, input = ?, scratch = ?, updated = ?, lease_owner = NULL, lease_expires = NULL
            WHERE id = ? AND fence = ? AND state = 'running'
            """,
        setInput: "UPDATE journal SET input = ? WHERE id = ?",
        live: "SELECT \(columns) FROM journal j WHERE \(isLive("j")) ORDER BY seq",
        liveOfResource: "SELECT \(columns) FROM journal j WHERE resource_id = ? AND \(isLive("j")) ORDER BY seq",
        // The fence moves on, so that whoever still believes to hold the row is refused.
        release: """
            UPDATE journal AS j
            SET state = 'ready', lease_owner = NULL, lease_expires = NULL, fence = fence + 1
            WHERE \(isLive("j")) AND lease_owner = ?
            """
    )
}
