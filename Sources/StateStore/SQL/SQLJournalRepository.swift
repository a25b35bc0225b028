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
    let claim: JournalClaim
    /// time → id, fence, lease expires of claims whose lease ends until then
    let expired: String
    /// host → time or NULL
    let nextDue: String
    /// limit, limit
    let hasten: String
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

/// How a dialect claims. "Conditions" are host, now, JSON array of `mark`s, JSON array of excluded resources, now.
enum JournalClaim: Sendable {
    /// owner, host, lease expires, now, conditions → the claimed row
    case one(String)
    case steps(JournalClaimStatements)
}

/// For a database that many transactions write to at once: a resource's first live row is locked before one of its rows is
/// taken, so that of all who want one, one at a time looks whether another is running.
struct JournalClaimStatements: Sendable {
    /// seq of the last one tried, conditions → seq, seq of the resource's first live row; the next few, oldest first
    let candidates: String
    /// seq → one row; none when it is no longer live or locked by another
    let lock: String
    /// seq, seq of the locked row, conditions → the row, if the locked one is still the first and it is still free
    let check: String
    /// owner, host, lease expires, updated, seq, fence, state; the last two as they were read
    let take: String
}

struct SQLJournalRepository: JournalRepository {
    let connection: any StateConnection
    let statements: JournalStatements
    /// Each record writes its event in the same transaction.
    let events: OperationEventStatements
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
        try note(.operationAccepted, record.id, at: record.created)
    }

    func find(_ id: String) throws -> JournalRecord? {
        try connection.first(statements.find, [.text(id)], Self.record)
    }

    func claim(
        owner: String, host: String?, lease: Duration, excluding resourceIDs: [String], stealing: [JournalLease]
    ) throws -> JournalRecord? {
        let now = try time.now
        let conditions = [
            SQLValue(host), SQLValue(now), .list(stealing.map(Self.mark)), .list(resourceIDs), SQLValue(now),
        ]
        switch statements.claim {
        case .one(let statement):
            return try connection.first(
                statement, [.text(owner), SQLValue(host), SQLValue(now + lease), SQLValue(now)] + conditions,
                Self.record)
        case .steps(let statements):
            return try claim(statements, conditions) { row in
                row.state = .running
                row.leaseOwner = owner
                row.host = row.host ?? host
                row.leaseExpires = now + lease
                row.fence += 1
                row.updated = now
            }
        }
    }

    private func claim(
        _ statements: JournalClaimStatements, _ conditions: [SQLValue], _ take: (inout JournalRecord) -> Void
    ) throws -> JournalRecord? {
        var last = 0
        while true {
            let candidates = try connection.query(statements.candidates, [SQLValue(last)] + conditions) { row in
                var reader = RowReader(row)
                return (seq: try reader.int(), first: try reader.int())
            }
            for (seq, first) in candidates {
                last = seq
                let isLocked = try connection.first(statements.lock, [SQLValue(first)]) { _ in true } ?? false
                guard isLocked,
                    let found = try connection.first(
                        statements.check, [SQLValue(seq), SQLValue(first)] + conditions, Self.record)
                else { continue }
                var taken = found
                take(&taken)
                let changed = try connection.execute(
                    statements.take,
                    [
                        SQLValue(taken.leaseOwner), SQLValue(taken.host), SQLValue(taken.leaseExpires),
                        SQLValue(taken.updated), SQLValue(seq), SQLValue(found.fence), .text(found.state.rawValue),
                    ])
                if changed > 0 { return taken }
            }
            if candidates.isEmpty { return nil }
        }
    }

    /// What tells one claim from any other, as statements build it from a row.
    private static func mark(_ claim: JournalLease) -> String {
        "\(claim.fence)/\(claim.leaseExpires.microseconds)/\(claim.id)"
    }

    /// Later than any lease.
    private static let endOfTime = Timestamp(microseconds: .max)

    func expired() throws -> [JournalLease] { try leases(until: time.now) }

    func held() throws -> [JournalLease] { try leases(until: Self.endOfTime) }

    private func leases(until limit: Timestamp) throws -> [JournalLease] {
        try connection.query(statements.expired, [SQLValue(limit)]) { row in
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

    func hasten(to limit: Timestamp) throws {
        try connection.execute(statements.hasten, [SQLValue(limit), SQLValue(limit)])
    }

    func renew(_ id: String, fence: Int, until: Timestamp) throws {
        try requireFence(
            id, fence, try connection.execute(statements.renew, [SQLValue(until), .text(id), SQLValue(fence)]))
    }

    func record(
        _ id: String, fence: Int, step: String, isDone: Bool, scratch: JSONValue, attempt: Int, now: Timestamp
    ) throws {
        if isDone {
            try note(.stepDone, id, since: "step", at: now)
        } else {
            try connection.execute(
                events.begin,
                [
                    SQLValue(now), SQLValue(now), .text(id), .text(step), .text(step), SQLValue(attempt), SQLValue(now),
                    .text(id),
                ])
        }
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
        try note(.stepRetried, id, cause: error, at: now)
        let changed = try connection.execute(
            statements.postpone, [SQLValue(notBefore), .message(error), SQLValue(now), .text(id), SQLValue(fence)])
        try requireFence(id, fence, changed)
    }

    func finish(_ id: String, fence: Int, state: JournalRecord.State, error: String?, now: Timestamp) throws {
        guard state == .done || state == .failed else {
            throw StateStoreError(.conflict, "Operation \(id) cannot end in the state \(state.rawValue).")
        }
        guard let row = try find(id) else { return try requireFence(id, fence, 0) }
        if state == .failed {
            try note(.stepFailed, id, cause: error, since: "step", at: now)
            try note(.operationFailed, id, cause: error, since: "operation", at: now)
        } else {
            try note(.operationDone, id, since: "operation", at: now)
        }
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

    /// Before the row changes: the event says what it was.
    private func note(
        _ kind: OperationEventRecord.Kind, _ id: String, cause: String? = nil, since scope: String? = nil,
        at time: Timestamp
    ) throws {
        try connection.execute(
            events.append,
            [
                .text(kind.rawValue), .message(cause), SQLValue(time), SQLValue(scope), SQLValue(time), .text(id),
            ])
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
