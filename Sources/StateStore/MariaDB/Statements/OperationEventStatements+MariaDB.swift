// SPDX-License-Identifier: Apache-2.0

extension OperationEventStatements {
    static func mariadb(_ list: JSONList, locks: Bool) -> OperationEventStatements {
        let places = list.table("x", ("seq", .integer, "$[0]"), ("position", .integer, "$[1]"))
        return make(
            instanceID: "JSON_UNQUOTE(JSON_EXTRACT(j.input, '$.instance_id'))",
            // Members of a cluster refuse the second of two commits that have changed the row.
            ensure: """
                INSERT INTO event_positions (name, position) VALUES ('feed', 0) ON DUPLICATE KEY UPDATE name = name
                """,
            lock: locks ? " FOR UPDATE" : "",
            // By the key, whatever the size: a scan would wait for rows that are not committed yet.
            order: """
                UPDATE \(places) STRAIGHT_JOIN operation_events e FORCE INDEX (PRIMARY) ON e.seq = x.seq SET e.position = x.position
                """,
            purge: "DELETE FROM operation_events WHERE created < ? ORDER BY created LIMIT ?"
        )
    }
}
