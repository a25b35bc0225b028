// SPDX-License-Identifier: Apache-2.0

import Model

/// Statements on `idempotency_keys`. Placeholders in the order of the comments.
struct IdempotencyStatements: Sendable {
    /// id → request_digest, status, answer, lease_expires, accepted, created; keeps others from changing it
    let lock: String
    /// tenant, route, request_digest, owner, lease_expires, created, id
    let insert: String
    /// As `insert`; the row begins anew
    let restart: String
    /// id, owner
    let accept: String
    /// status, answer, id, owner
    let finish: String
    /// id, owner; removes what nothing was changed under
    let release: String
    /// id, owner; ends the lease of the rest
    let expire: String
    /// moment, limit
    let purge: String
}

struct SQLIdempotencyRepository: IdempotencyRepository {
    private struct Row {
        let requestDigest: String
        let status: Int?
        let answer: String?
        let leaseExpires: Timestamp
        let isAccepted: Bool
        let created: Timestamp
    }

    let connection: any StateConnection
    let statements: IdempotencyStatements
    let time: TransactionTime

    func claim(_ claim: IdempotencyClaim) throws -> IdempotencyOutcome {
        if let row = try lock(claim.id) { return try decide(row, claim) }
        do {
            try connection.execute(statements.insert, try values(claim))
            return .claimed
        } catch let error as StateStoreError where error.code == .conflict {
            // Somebody else has inserted it meanwhile.
            guard let row = try lock(claim.id) else { throw error }
            return try decide(row, claim)
        }
    }

    private func decide(_ row: Row, _ claim: IdempotencyClaim) throws -> IdempotencyOutcome {
        let now = try time.now
        guard now < row.created + claim.keptFor else { return try restart(claim) }
        guard row.requestDigest == claim.requestDigest else { return .otherRequest }
        if let status = row.status { return .done(status: status, answer: row.answer ?? "") }
        guard row.leaseExpires <= now else { return .running }
        return row.isAccepted ? .answerLost : try restart(claim)
    }

    private func restart(_ claim: IdempotencyClaim) throws -> IdempotencyOutcome {
        try connection.execute(statements.restart, try values(claim))
        return .claimed
    }

    private func values(_ claim: IdempotencyClaim) throws -> [SQLValue] {
        let now = try time.now
        return [
            .text(claim.projectID), .message(claim.path, limit: 255), .text(claim.requestDigest), .text(claim.owner),
            SQLValue(now + claim.lease), SQLValue(now), .text(claim.id),
        ]
    }

    private func lock(_ id: String) throws -> Row? {
        try connection.first(statements.lock, [.text(id)]) { row in
            var reader = RowReader(row)
            return Row(
                requestDigest: try reader.text(), status: try reader.optionalInt(), answer: try reader.optionalText(),
                leaseExpires: try reader.time(), isAccepted: try reader.flag(), created: try reader.time())
        }
    }

    func accept(id: String, owner: String) throws {
        guard try connection.execute(statements.accept, [.text(id), .text(owner)]) > 0 else {
            throw StateStoreError(.conflict, "Another request with the same idempotency key has taken over.")
        }
    }

    func finish(id: String, owner: String, status: Int, answer: String) throws {
        try connection.execute(statements.finish, [SQLValue(status), .text(answer), .text(id), .text(owner)])
    }

    func release(id: String, owner: String) throws {
        guard try connection.execute(statements.release, [.text(id), .text(owner)]) == 0 else { return }
        try connection.execute(statements.expire, [.text(id), .text(owner)])
    }

    func purge(before moment: Timestamp, limit: Int) throws -> Int {
        try connection.execute(statements.purge, [SQLValue(moment), SQLValue(limit)])
    }
}
