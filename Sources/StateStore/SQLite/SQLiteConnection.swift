// SPDX-License-Identifier: Apache-2.0

import Foundation
import GRDB

/// The writing connection, for as long as one transaction body runs. Statements are prepared once a connection.
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
