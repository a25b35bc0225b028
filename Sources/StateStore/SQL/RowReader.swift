// SPDX-License-Identifier: Apache-2.0

import Model

/// Reads a row's columns from left to right; a value of another type than expected is `.corrupt`, never a trap.
struct RowReader {
    private let row: any StateRow
    private var column = 0

    init(_ row: any StateRow) { self.row = row }

    mutating func optionalInt() throws(StateStoreError) -> Int? {
        let column = next()
        switch row.kind(column) {
        case .null: return nil
        case .int: return Int(row.int(column))
        default: throw mismatch("an integer")
        }
    }

    mutating func optionalText() throws(StateStoreError) -> String? {
        let column = next()
        switch row.kind(column) {
        case .null: return nil
        case .text: return row.text(column)
        default: throw mismatch("a text")
        }
    }

    mutating func double() throws(StateStoreError) -> Double {
        guard let value = try optionalDouble() else { throw mismatch("a number") }
        return value
    }

    mutating func optionalDouble() throws(StateStoreError) -> Double? {
        let column = next()
        switch row.kind(column) {
        case .null: return nil
        case .double: return row.double(column)
        case .int: return Double(row.int(column))
        default: throw mismatch("a number")
        }
    }

    mutating func int() throws(StateStoreError) -> Int {
        guard let value = try optionalInt() else { throw mismatch("an integer") }
        return value
    }

    mutating func text() throws(StateStoreError) -> String {
        guard let value = try optionalText() else { throw mismatch("a text") }
        return value
    }

    mutating func flag() throws(StateStoreError) -> Bool { try int() != 0 }

    mutating func time() throws(StateStoreError) -> Timestamp { Timestamp(microseconds: Int64(try int())) }

    mutating func optionalTime() throws(StateStoreError) -> Timestamp? {
        try optionalInt().map { Timestamp(microseconds: Int64($0)) }
    }

    mutating func json() throws(StateStoreError) -> JSONValue {
        guard let value = try optionalJSON() else { throw mismatch("a JSON text") }
        return value
    }

    mutating func optionalJSON() throws(StateStoreError) -> JSONValue? {
        let column = column
        guard let text = try optionalText() else { return nil }
        do {
            return try row.memo.json(column, text)
        } catch {
            throw mismatch("a JSON text")
        }
    }

    private mutating func next() -> Int {
        defer { column += 1 }
        return column
    }

    private func mismatch(_ expected: String) -> StateStoreError {
        StateStoreError(
            .corrupt,
            "Column \(column) of a row in the state database is not \(expected); restore the database from a backup."
        )
    }
}
