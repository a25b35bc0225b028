// SPDX-License-Identifier: Apache-2.0

import Model

/// Statements on `leases`. Placeholders in the order of the comments. A lease that was given back keeps its row, for the
/// fence's sake, with an empty owner.
struct LeaseStatements: Sendable {
    /// name; inserts a lease that nobody holds, fence 0, unless there is a row
    let ensure: String
    /// name → owner, fence, expires; keeps other transactions from taking it
    let lock: String
    /// owner, fence, expires, name
    let take: String
    /// name, owner
    let release: String
    /// name → name, owner, fence, expires
    let find: String
    /// → as `find`
    let all: String
}

struct SQLLeaseRepository: LeaseRepository {
    let connection: any StateConnection
    let statements: LeaseStatements
    let time: TransactionTime

    func acquire(_ name: String, owner: String, for duration: Duration) throws -> Int? {
        var row = try lock(name)
        if row == nil {
            try connection.execute(statements.ensure, [.text(name)])
            row = try lock(name)
        }
        guard let row else { throw StateStoreError(.corrupt, "The lease \(name) that was stored is not there.") }
        let now = try time.now
        guard row.owner == owner || row.owner.isEmpty || row.expires <= now else { return nil }
        let fence = row.owner == owner ? row.fence : row.fence + 1
        try connection.execute(
            statements.take, [.text(owner), SQLValue(fence), SQLValue(now + duration), .text(name)])
        return fence
    }

    private func lock(_ name: String) throws -> (owner: String, fence: Int, expires: Timestamp)? {
        try connection.first(statements.lock, [.text(name)]) { row in
            var reader = RowReader(row)
            return (owner: try reader.text(), fence: try reader.int(), expires: try reader.time())
        }
    }

    func release(_ name: String, owner: String) throws {
        try connection.execute(statements.release, [.text(name), .text(owner)])
    }

    func find(_ name: String) throws -> LeaseRecord? {
        try connection.first(statements.find, [.text(name)], Self.record)
    }

    func all() throws -> [LeaseRecord] {
        try connection.query(statements.all, [], Self.record)
    }

    private static func record(_ row: any StateRow) throws -> LeaseRecord {
        var reader = RowReader(row)
        return LeaseRecord(
            name: try reader.text(), owner: try reader.text(), fence: try reader.int(), expires: try reader.time())
    }
}
