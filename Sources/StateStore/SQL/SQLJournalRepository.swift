// SPDX-License-Identifier: Apache-2.0

import Model

/// Statements on `journal`. Placeholders in the order of the comments; "rows" are the columns of
/// `SQLJournalRepository.record`.
struct JournalStatements: Sendable {
    /// id, request, project, user, flow, resource, input, state, step, done (0 or 1), scratch, attempt, not before,
    /// host, lease owner, lease expires, fence, error, created, updated
    let insert: String
    /// id → rows
    let find: String
    /// owner, host, lease expires, now, host, now, now, JSON array of `mark`s, JSON array of excluded resources, now → the
    /// claimed row
    let claim: String
    /// now → id, fence, lease expires
    let expired: String
    /// host → time or NULL
    let nextDue: String
    /// until, id, fence
    let renew: String
    /// step, done, scratch, attempt, updated, id, fence
    let record: String
    /// not before, error, updated, id, fence
    let postpone: String
    /// state, error, input, scratch, updated, id, fence
    let finish: String
    /// input, id
    let setInput: String
    /// → rows
    let live: String
    /// resource → rows
    let liveOfResource: String
    /// owner
    let release: String
}

struct SQLJournalRepository: JournalRepository {
    let connection: any StateConnection
    let statements: JournalStatements
    let time: TransactionTime

    func insert(_ record: JournalRecord) throws {
        try connection.execute(
            statements.insert,
            [
                .text(record.id), .text(record.requestID), .text(record.projectID), .text(record.userID),
                .text(record.flow), .text(record.resourceID), SQLValue(record.input), .text(record.state.rawValue),
                .text(record.step), record.stepIsDone ? 1 : 0, SQLValue(record.scratch), SQLValue(record.attempt),
                SQLValue(record.notBefore), SQLValue(record.host), SQLValue(record.leaseOwner),
                SQLValue(record.leaseExpires), SQLValue(record.fence), SQLValue(record.error),
                SQLValue(record.created), SQLValue(record.updated),
            ]
        )
    }

    func find(_ id: String) throws -> JournalRecord? {
        try connection.first(statements.find, [.text(id)], Self.record)
    }

    func claim(
        owner: String, host: String?, lease: Duration, excluding resourceIDs: [String], stealing: [JournalLease]
    ) throws -> JournalRecord? {
        let now = try time.now
        let marks = SQLValue.list(stealing.map(Self.mark))
        return try connection.first(
            statements.claim,
            [
                .text(owner), SQLValue(host), SQLValue(now + lease), SQLValue(now), SQLValue(host), SQLValue(now),
                SQLValue(now), marks, .list(resourceIDs), SQLValue(now),
            ],
            Self.record
        )
    }

    /// What tells one claim from any other, as statements build it from a row.
    private static func mark(_ claim: JournalLease) -> String {
        "\(claim.fence)/\(claim.leaseExpires.microseconds)/\(claim.id)"
    }

    func expired() throws -> [JournalLease] {
        try connection.query(statements.expired, [SQLValue(try time.now)]) { row in
            var reader = RowReader(row)
            return JournalLease(id: try reader.text(), fence: try reader.int(), leaseExpires: try reader.time())
        }
    }

    func nextDue(host: String?) throws -> Timestamp? {
        try connection.first(statements.nextDue, [SQLValue(host)]) { row in
            var reader = RowReader(row)
            return try reader.optionalTime()
        } ?? nil
    }

    func renew(_ id: String, fence: Int, until: Timestamp) throws {
        try requireFence(
            id, fence, try connection.execute(statements.renew, [SQLValue(until), .text(id), SQLValue(fence)]))
    }

    func record(
        _ id: String, fence: Int, step: String, isDone: Bool, scratch: JSONValue, attempt: Int, now: Timestamp
    ) throws {
        let changed = try connection.execute(
            statements.record,
            [
                .text(step), isDone ? 1 : 0, SQLValue(scratch), SQLValue(attempt), SQLValue(now), .text(id),
                SQLValue(fence),
            ]
        )
        try requireFence(id, fence, changed)
    }

    func postpone(_ id: String, fence: Int, notBefore: Timestamp, error: String?, now: Timestamp) throws {
        let changed = try connection.execute(
            statements.postpone, [SQLValue(notBefore), .message(error), SQLValue(now), .text(id), SQLValue(fence)])
        try requireFence(id, fence, changed)
    }

    func finish(_ id: String, fence: Int, state: JournalRecord.State, error: String?, now: Timestamp) throws {
        guard state == .done || state == .failed else {
            throw StateStoreError(.conflict, "Operation \(id) cannot end in the state \(state.rawValue).")
        }
        guard let row = try find(id) else { return try requireFence(id, fence, 0) }
        let changed = try connection.execute(
            statements.finish,
            [
                .text(state.rawValue), .message(error), SQLValue(row.input.redacted), SQLValue(row.scratch.redacted),
                SQLValue(now), .text(id), SQLValue(fence),
            ]
        )
        try requireFence(id, fence, changed)
    }

    func scrubInput(_ id: String, keeping keys: [String]) throws {
        guard let row = try find(id) else { throw StateStoreError(.notFound, "Operation \(id) does not exist.") }
        let kept = (row.input.objectValue ?? [:]).filter { keys.contains($0.key) }
        try connection.execute(statements.setInput, [SQLValue(JSONValue.object(kept)), .text(id)])
    }

    func live(resourceID: String?) throws -> [JournalRecord] {
        guard let resourceID else { return try connection.query(statements.live, [], Self.record) }
        return try connection.query(statements.liveOfResource, [.text(resourceID)], Self.record)
    }

    func release(owner: String) throws {
        try connection.execute(statements.release, [.text(owner)])
    }

    private func requireFence(_ id: String, _ fence: Int, _ changed: Int) throws {
        guard changed == 0 else { return }
        guard let row = try find(id) else { throw StateStoreError(.notFound, "Operation \(id) does not exist.") }
        throw StateStoreError(
            .conflict,
            "Operation \(id) is no longer held under fence \(fence): it is \(row.state.rawValue) under \(row.fence)."
        )
    }

    /// The columns of `JournalStatements.insert`.
    private static func record(_ row: any StateRow) throws -> JournalRecord {
        var reader = RowReader(row)
        var record = JournalRecord(
            id: try reader.text(), requestID: try reader.text(), projectID: try reader.text(),
            userID: try reader.text(), flow: try reader.text(), resourceID: try reader.text(),
            input: try reader.json(), created: Timestamp(microseconds: 0)
        )
        let state = try reader.text()
        guard let known = JournalRecord.State(rawValue: state) else {
            throw StateStoreError(.corrupt, "Operation \(record.id) has the state \(state), which is unknown.")
        }
        record.state = known
        record.step = try reader.text()
        record.stepIsDone = try reader.flag()
        record.scratch = try reader.json()
        record.attempt = try reader.int()
        record.notBefore = try reader.time()
        record.host = try reader.optionalText()
        record.leaseOwner = try reader.optionalText()
        record.leaseExpires = try reader.optionalTime()
        record.fence = try reader.int()
        record.error = try reader.optionalText()
        record.created = try reader.time()
        record.updated = try reader.time()
        return record
    }
}
