// SPDX-License-Identifier: Apache-2.0

import GRDBSQLite

/// The row that a statement stands on.
///
/// Read from the statement itself: through GRDB's row each column costs a generic conversion, and reading one as another type
/// than the file holds traps. Source: sqlite3_column_blob(3).
final class SQLiteRow: StateRow {
    private let statement: OpaquePointer
    let memo = ColumnMemo()

    init(statement: OpaquePointer) { self.statement = statement }

    func kind(_ column: Int) -> StateColumnKind {
        switch sqlite3_column_type(statement, Int32(column)) {
        case SQLITE_INTEGER: .int
        case SQLITE_FLOAT: .double
        case SQLITE_TEXT: .text
        case SQLITE_NULL: .null
        default: .other
        }
    }

    func int(_ column: Int) -> Int64 { sqlite3_column_int64(statement, Int32(column)) }

    func double(_ column: Int) -> Double { sqlite3_column_double(statement, Int32(column)) }

    func text(_ column: Int) -> String {
        // As bytes: asked for text, SQLite would copy it to end it with a zero. The encoding is the database's, UTF-8.
        guard let start = sqlite3_column_blob(statement, Int32(column)) else { return "" }
        let count = Int(sqlite3_column_bytes(statement, Int32(column)))
        return memo.text(column, UnsafeRawBufferPointer(start: start, count: count))
    }
}
