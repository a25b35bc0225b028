// SPDX-License-Identifier: Apache-2.0

import Foundation
import GRDB
import GRDBSQLite

/// A connection of the pool, for as long as one transaction body runs. Statements are prepared once a connection.
struct SQLiteConnection: StateConnection {
    let database: Database

    func execute(_ sql: String, _ values: [SQLValue]) throws -> Int {
        try StateStoreError.translating {
            let statement = try database.cachedStatement(sql: sql)
            try statement.execute(arguments: Self.arguments(values))
            return database.changesCount
        }
    }

    func query<Value>(_ sql: String, _ values: [SQLValue], _ map: (any StateRow) throws -> Value) throws -> [Value] {
        try StateStoreError.translating {
            let statement = try database.cachedStatement(sql: sql)
            let cursor = try Row.fetchCursor(statement, arguments: Self.arguments(values))
            let row = SQLiteRow(statement: statement.sqliteStatement)
            var result: [Value] = []
            while try cursor.next() != nil { result.append(try map(row)) }
            return result
        }
    }

    /// GRDB hands texts to SQLite up to their first zero byte, so one with a zero byte goes as a blob: it equals no stored
    /// text, and STRICT tables refuse it.
    private static func text(_ value: String) -> DatabaseValue {
        value.utf8.contains(0) ? Data(value.utf8).databaseValue : value.databaseValue
    }

    private static func arguments(_ values: [SQLValue]) -> StatementArguments {
        StatementArguments(
            values.map { value in
                switch value {
                case .null: DatabaseValue.null
                case .int(let value): value.databaseValue
                case .double(let value): value.databaseValue
                case .text(let value): text(value)
                }
            })
    }
}

/// The row that a statement stands on.
///
/// Read from the statement itself: through GRDB's row each column costs a generic conversion, and reading one as another type
/// than the file holds traps. Source: sqlite3_column_blob(3).
private struct SQLiteRow: StateRow {
    let statement: OpaquePointer

    func value(_ column: Int) -> SQLValue {
        let index = Int32(column)
        switch sqlite3_column_type(statement, index) {
        case SQLITE_INTEGER: return .int(sqlite3_column_int64(statement, index))
        case SQLITE_FLOAT: return .double(sqlite3_column_double(statement, index))
        case SQLITE_TEXT:
            guard let text = sqlite3_column_text(statement, index) else { return .null }
            let count = Int(sqlite3_column_bytes(statement, index))
            return .text(String(decoding: UnsafeBufferPointer(start: text, count: count), as: UTF8.self))
        default: return .null
        }
    }
}
