// SPDX-License-Identifier: Apache-2.0

import Model

/// Statements on `operation_events` and `event_positions`. Placeholders in the order of the comments; "rows" are the
/// columns of `SQLOperationEventRepository.record`.
struct OperationEventStatements: Sendable {
    /// event, cause, time, scope (`step`, `operation` or NULL: since when the duration counts), time, operation; takes step and
    /// attempt from the journal as it is
    let append: String
    /// time, time, operation, step; then step, attempt, time, operation: the end of the step that the journal has, if it is
    /// another one, and the start of the new one
    let begin: String
    /// → 1
    let unordered: String
    /// makes the one row of `event_positions`
    let ensure: String
    /// → position; locks
    let lock: String
    /// limit → seq
    let waiting: String
    /// JSON array of [seq, position]
    let order: String
    /// position
    let advance: String
    /// → position
    let head: String
    /// position, limit → rows
    let all: String
    /// project, position, limit → rows
    let ofProject: String
    /// instance, position, limit → rows
    let ofInstance: String
    /// instance, project, position, limit → rows
    let ofProjectInstance: String
    /// instance, project or NULL, the same again → 1
    let has: String
    /// flow, limit → step, duration
    let durations: String
    /// time, limit
    let purge: String
}

struct SQLOperationEventRepository: OperationEventRepository {
    let connection: any StateConnection
    let statements: OperationEventStatements

    func hasUnordered() throws -> Bool { try connection.first(statements.unordered, []) { _ in true } ?? false }

    func order(limit: Int) throws -> Int {
        try connection.execute(statements.ensure, [])
        let position = try connection.first(statements.lock, [], Self.number) ?? 0
        let waiting = try connection.query(statements.waiting, [SQLValue(limit)], Self.number)
        guard !waiting.isEmpty else { return 0 }
        let pairs = waiting.enumerated().map { index, seq in
            JSONValue.array([.int(Int64(seq)), .int(Int64(position + index + 1))])
        }
        try connection.execute(statements.order, [SQLValue(JSONValue.array(pairs))])
        try connection.execute(statements.advance, [SQLValue(position + waiting.count)])
        return waiting.count
    }

    func page(
        after position: Int, projectID: String?, instanceID: String?, limit: Int
    ) throws -> OperationEventPage {
        let tail = [SQLValue(position), SQLValue(limit)]
        let events =
            switch (projectID, instanceID) {
            case (nil, nil): try connection.query(statements.all, tail, Self.record)
            case (let project?, nil): try connection.query(statements.ofProject, [.text(project)] + tail, Self.record)
            case (nil, let instance?):
                try connection.query(statements.ofInstance, [.text(instance)] + tail, Self.record)
            case (let project?, let instance?):
                try connection.query(
                    statements.ofProjectInstance, [.text(instance), .text(project)] + tail, Self.record)
            }
        let read = events.last?.position ?? position
        // Of a snapshot: what is not in it comes later.
        return OperationEventPage(events: events, position: events.count < limit ? max(read, try head()) : read)
    }

    func head() throws -> Int { try connection.first(statements.head, [], Self.number) ?? 0 }

    func hasEvents(instanceID: String, projectID: String?) throws -> Bool {
        try connection.first(
            statements.has, [.text(instanceID), SQLValue(projectID), SQLValue(projectID)]
        ) { _ in true } ?? false
    }

    func durations(flow: String, limit: Int) throws -> [(step: String, duration: Duration)] {
        try connection.query(statements.durations, [.text(flow), SQLValue(limit)]) { row in
            var reader = RowReader(row)
            return (step: try reader.text(), duration: .microseconds(try reader.int()))
        }
    }

    func purge(before time: Timestamp, limit: Int) throws -> Int {
        try connection.execute(statements.purge, [SQLValue(time), SQLValue(limit)])
    }

    private static func number(_ row: any StateRow) throws -> Int {
        var reader = RowReader(row)
        return try reader.int()
    }

    /// position, event, project, instance, resource, operation, request, user, flow, step, attempt, cause, duration, created.
    static let columns = """
        position, event, tenant_id, instance_id, resource_id, operation_id, request_id, user_id, flow, step, attempt, cause, \
        duration, created
        """

    private static func record(_ row: any StateRow) throws -> OperationEventRecord {
        var reader = RowReader(row)
        let position = try reader.int()
        let name = try reader.text()
        guard let kind = OperationEventRecord.Kind(rawValue: name) else {
            throw StateStoreError(.corrupt, "Event \(position) is of the kind \(name), which is unknown.")
        }
        return OperationEventRecord(
            position: position, kind: kind, projectID: try reader.text(), instanceID: try reader.optionalText(),
            resourceID: try reader.text(), operationID: try reader.text(), requestID: try reader.text(),
            userID: try reader.text(), flow: try reader.text(), step: try reader.text(), attempt: try reader.int(),
            cause: try reader.optionalText(),
            duration: try reader.optionalInt().map { .microseconds($0) }, created: try reader.time())
    }
}

extension OperationEventStatements {
    /// What the two dialects have alike.
    ///
    /// - Parameters:
    ///   - instanceID: The instance of the journal's row `j`.
    ///   - ensure, order, purge: See the members.
    ///   - lock: Behind the statement that locks the position.
    static func make(
        instanceID: String, ensure: String, lock: String, order: String, purge: String
    ) -> OperationEventStatements {
        let insert = """
            INSERT INTO operation_events (tenant_id, instance_id, resource_id, operation_id, request_id, user_id, flow, event,
                step, attempt, cause, duration, created)
            """
        let subject =
            "SELECT j.tenant_id, \(instanceID), j.resource_id, j.id, j.request_id, j.user_id, j.flow"
        let select = "SELECT \(SQLOperationEventRepository.columns) FROM operation_events WHERE"
        return OperationEventStatements(
            append: """
                \(insert)
                \(subject), ?, j.step, j.attempt, ?, ? - CASE ? WHEN 'step' THEN j.updated WHEN 'operation' THEN j.created END, ?
                FROM journal j WHERE j.id = ?
                """,
            begin: """
                \(insert)
                \(subject), 'step_done', j.step, j.attempt, NULL, ? - j.updated, ?
                FROM journal j WHERE j.id = ? AND j.step <> '' AND j.step <> ? AND j.step_is_done = 0
                UNION ALL
                \(subject), 'step_started', ?, ?, NULL, NULL, ?
                FROM journal j WHERE j.id = ?
                """,
            unordered: "SELECT 1 FROM operation_events WHERE position IS NULL LIMIT 1",
            ensure: ensure,
            lock: "SELECT position FROM event_positions WHERE name = 'feed'" + lock,
            waiting: "SELECT seq FROM operation_events WHERE position IS NULL ORDER BY seq LIMIT ?",
            order: order,
            advance: "UPDATE event_positions SET position = ? WHERE name = 'feed'",
            head: "SELECT position FROM event_positions WHERE name = 'feed'",
            all: "\(select) position > ? ORDER BY position LIMIT ?",
            ofProject: "\(select) tenant_id = ? AND position > ? ORDER BY position LIMIT ?",
            ofInstance: "\(select) instance_id = ? AND position > ? ORDER BY position LIMIT ?",
            ofProjectInstance: """
                \(select) instance_id = ? AND tenant_id = ? AND position > ? ORDER BY position LIMIT ?
                """,
            has: "SELECT 1 FROM operation_events WHERE instance_id = ? AND (? IS NULL OR tenant_id = ?) LIMIT 1",
            durations: """
                SELECT step, duration FROM operation_events
                WHERE flow = ? AND event = 'step_done' AND duration IS NOT NULL ORDER BY seq DESC LIMIT ?
                """,
            purge: purge
        )
    }
}
