// SPDX-License-Identifier: Apache-2.0

import Model

/// Statements on `revocations`. Placeholders in the order of the comments.
struct RevocationStatements: Sendable {
    /// digest, expires; keeps the later expiry
    let revoke: String
    /// digest → one row if revoked
    let find: String
    /// now
    let purge: String
    /// → digest
    let all: String
}

struct SQLRevocationRepository: RevocationRepository {
    let connection: any StateConnection
    let statements: RevocationStatements

    func revoke(tokenDigest: String, expires: Timestamp) throws {
        try connection.execute(statements.revoke, [.text(tokenDigest), SQLValue(expires)])
    }

    func isRevoked(tokenDigest: String) throws -> Bool {
        try connection.first(statements.find, [.text(tokenDigest)]) { _ in true } ?? false
    }

    func purge(now: Timestamp) throws {
        try connection.execute(statements.purge, [SQLValue(now)])
    }

    func all() throws -> [String] {
        try connection.query(statements.all, []) { row in
            var reader = RowReader(row)
            return try reader.text()
        }
    }
}
