// SPDX-License-Identifier: Apache-2.0

extension JournalStatements {
    private static let names = """
        id, request_id, tenant_id, user_id, flow, resource_id, input, state, step, step_is_done, scratch, attempt, \
        not_before, host, lease_owner, lease_expires, fence, error, created, updated
        """

    private static let columns = names.split(separator: ", ").map { "j.\($0)" }.joined(separator: ", ")

    private static let due = "CASE j.state WHEN 'ready' THEN j.not_before ELSE j.lease_expires END"

    /// Whether another live row of the resource is such.
    private static func isHeld(_ condition: String) -> String {
        """
        EXISTS (SELECT 1 FROM journal o FORCE INDEX (journal_live_resource) \
        WHERE o.resource_id = j.resource_id AND o.live = 1 AND o.seq <> j.seq AND \(condition))
        """
    }

    /// host, now, JSON array of `mark`s, JSON array of excluded resources, now.
    private static func isFree(_ list: JSONList) -> String {
        """
        (j.host IS NULL OR j.host = ?)
            AND ((j.state = 'ready' AND j.not_before <= ?)
                OR (j.state = 'running'
                    AND CONCAT(j.fence, '/', j.lease_expires, '/', j.id) IN \(list.texts)))
            AND j.resource_id NOT IN \(list.texts)
            AND NOT \(isHeld("o.state = 'running' AND (j.state = 'ready' OR o.lease_expires > ?)"))
        """
    }

    static func mariadb(_ list: JSONList, locks: Bool) -> JournalStatements {
        JournalStatements(
            insert: """
                INSERT INTO journal (\(names))
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                """,
            find: "SELECT \(columns) FROM journal j WHERE j.id = ?" + (locks ? " FOR UPDATE" : ""),
            claim: .steps(
                JournalClaimStatements(
                    candidates: """
                        SELECT j.seq, (SELECT MIN(h.seq) FROM journal h FORCE INDEX (journal_live_resource)
                            WHERE h.resource_id = j.resource_id AND h.live = 1)
                        FROM journal j FORCE INDEX (journal_live)
                        WHERE j.live = 1 AND j.seq > ? AND \(isFree(list))
                        ORDER BY j.seq LIMIT 8
                        """,
                    lock: "SELECT seq FROM journal WHERE seq = ? AND live = 1 FOR UPDATE SKIP LOCKED",
                    check: """
                        SELECT \(columns) FROM journal j
                        WHERE j.seq = ? AND j.live = 1
                            AND NOT EXISTS (SELECT 1 FROM journal h FORCE INDEX (journal_live_resource)
                                WHERE h.resource_id = j.resource_id AND h.live = 1 AND h.seq < ?)
                            AND \(isFree(list))
                        """,
                    take: """
                        UPDATE journal SET state = 'running', lease_owner = ?, host = ?, lease_expires = ?,
                            fence = fence + 1, updated = ?
                        WHERE seq = ? AND fence = ? AND state = ?
                        """
                )),
            expired: """
                SELECT j.id, j.fence, j.lease_expires FROM journal j FORCE INDEX (journal_live)
                WHERE j.live = 1 AND j.state = 'running' AND j.lease_expires <= ? ORDER BY j.seq
                """,
            nextDue: """
                SELECT MIN(\(due)) FROM journal j FORCE INDEX (journal_live)
                WHERE j.live = 1 AND (j.host IS NULL OR j.host = ?)
                    AND (j.state = 'running' OR NOT \(isHeld("o.state = 'running'")))
                """,
            hasten: "UPDATE journal SET not_before = ? WHERE live = 1 AND state = 'ready' AND not_before > ?",
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
                SET state = ?, error = ?, input = ?, scratch = ?, updated = ?, lease_owner = NULL,
                    lease_expires = NULL
                WHERE id = ? AND fence = ? AND state = 'running'
                """,
            setInput: "UPDATE journal SET input = ? WHERE id = ?",
            live: "SELECT \(columns) FROM journal j FORCE INDEX (journal_live) WHERE j.live = 1 ORDER BY j.seq",
            liveOfResource: """
                SELECT \(columns) FROM journal j FORCE INDEX (journal_live_resource)
                WHERE j.resource_id = ? AND j.live = 1 ORDER BY j.seq
                """,
            // The fence moves on, so that whoever still believes to hold the row is refused.
            release: """
                UPDATE journal SET state = 'ready', lease_owner = NULL, lease_expires = NULL, fence = fence + 1
                WHERE live = 1 AND lease_owner = ?
                """
        )
    }
}
