// SPDX-License-Identifier: Apache-2.0

import Model

/// Statements on `ledger`. Placeholders in the order of the comments.
struct LedgerStatements: Sendable {
    /// kind, tag, owner, created; does nothing when kind and tag are there
    let add: String
    /// kind, tag
    let strike: String
    /// owner, JSON array of kinds
    let strikeKinds: String
    /// → kind, tag, owner, created
    let all: String
    /// owner → as `all`
    let owned: String
}

struct SQLLedgerRepository: LedgerRepository {
    let connection: any StateConnection
    let statements: LedgerStatements

    func add(_ entries: [LedgerEntry]) throws {
        for entry in entries {
            try connection.execute(
                statements.add,
                [.text(entry.kind), .text(entry.tag), .text(entry.ownerID), SQLValue(entry.created)]
            )
        }
    }

    func strike(kind: String, tag: String) throws {
        try connection.execute(statements.strike, [.text(kind), .text(tag)])
    }

    func strike(ownerID: String, kinds: [String]) throws {
        try connection.execute(statements.strikeKinds, [.text(ownerID), .list(kinds)])
    }

    func all() throws -> [LedgerEntry] {
        try connection.query(statements.all, [], Self.entry)
    }

    func owned(by ownerID: String) throws -> [LedgerEntry] {
        try connection.query(statements.owned, [.text(ownerID)], Self.entry)
    }

    private static func entry(_ row: any StateRow) throws -> LedgerEntry {
        var reader = RowReader(row)
        return LedgerEntry(
            kind: try reader.text(), tag: try reader.text(), ownerID: try reader.text(), created: try reader.time())
    }
}
