// SPDX-License-Identifier: Apache-2.0

import Model

/// Statements on `conductor_lastseen`. Placeholders in the order of the comments.
enum LastSeenStatements: Sendable {
    /// instance, method, sent; changes no row unless `sent` is newer
    case each(advance: String)
    case batch(LastSeenBatchStatements)
}

/// For a database that is far away: as many statements for hundreds of marks as for one.
struct LastSeenBatchStatements: Sendable {
    /// JSON array of [instance, method] → instance, method, sent; keeps other transactions from advancing them
    let lock: String
    /// JSON array of [instance, method, sent]; inserts those that are not there
    let ensure: String
    /// JSON array of [instance, method, sent]; replaces
    let put: String
}

struct SQLLastSeenRepository: LastSeenRepository {
    private struct Key: Hashable, Comparable {
        var instanceID: String
        var method: String

        static func < (left: Key, right: Key) -> Bool {
            (left.instanceID, left.method) < (right.instanceID, right.method)
        }
    }

    /// Before every time that a message can have.
    private static let never = -1.0

    let connection: any StateConnection
    let statements: LastSeenStatements

    func advance(_ marks: [LastSeenMark]) throws -> [Bool] {
        switch statements {
        case .each(let statement):
            try marks.map { mark in
                try connection.execute(
                    statement, [.text(mark.instanceID), .text(mark.method), .double(mark.sent)]) > 0
            }
        case .batch(let statements): try advance(marks, statements)
        }
    }

    private func advance(_ marks: [LastSeenMark], _ statements: LastSeenBatchStatements) throws -> [Bool] {
        // In the order of the index, which every batch locks its rows in.
        let keys = Set(marks.map { Key(instanceID: $0.instanceID, method: $0.method) }).sorted()
        guard !keys.isEmpty else { return [] }
        let asked = keys.map { JSONValue.array([.string($0.instanceID), .string($0.method)]) }
        var stored = try lock(asked, statements)
        let missing = keys.filter { stored[$0] == nil }
        if !missing.isEmpty {
            // Two that see a new instance's first message agree on a row to lock.
            try connection.execute(statements.ensure, [Self.rows(missing) { _ in Self.never }])
            stored = try lock(asked, statements)
        }
        var newest: [Key: Double] = [:]
        let outcome = marks.map { mark in
            let key = Key(instanceID: mark.instanceID, method: mark.method)
            guard mark.sent > newest[key] ?? stored[key] ?? Self.never else { return false }
            newest[key] = mark.sent
            return true
        }
        let changed = newest.keys.sorted()
        if !changed.isEmpty { try connection.execute(statements.put, [Self.rows(changed) { newest[$0] ?? 0 }]) }
        return outcome
    }

    private func lock(_ keys: [JSONValue], _ statements: LastSeenBatchStatements) throws -> [Key: Double] {
        let rows = try connection.query(statements.lock, [SQLValue(JSONValue.array(keys))]) { row in
            var reader = RowReader(row)
            return (Key(instanceID: try reader.text(), method: try reader.text()), try reader.double())
        }
        return Dictionary(rows) { _, last in last }
    }

    private static func rows(_ keys: [Key], _ sent: (Key) -> Double) -> SQLValue {
        SQLValue(
            JSONValue.array(
                keys.map { .array([.string($0.instanceID), .string($0.method), .double(sent($0))]) }))
    }
}
