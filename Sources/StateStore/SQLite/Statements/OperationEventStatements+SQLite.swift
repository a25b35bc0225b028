// SPDX-License-Identifier: Apache-2.0

extension OperationEventStatements {
    static let sqlite = make(
        instanceID: "json_extract(j.input, '$.instance_id')",
        ensure: "INSERT INTO event_positions (name, position) VALUES ('feed', 0) ON CONFLICT DO NOTHING",
        lock: "",
        order: """
            UPDATE operation_events AS e SET position = x.position
            FROM (SELECT json_extract(value, '$[0]') AS seq, json_extract(value, '$[1]') AS position FROM json_each(?)) x
            WHERE e.seq = x.seq
            """,
        purge: """
            DELETE FROM operation_events
            WHERE seq IN (SELECT seq FROM operation_events WHERE created < ? ORDER BY created LIMIT ?)
            """
    )
}
