// SPDX-License-Identifier: Apache-2.0

/// One connection inside one transaction: all that repositories know of a database.
///
/// A driver implements this and a `StatementSet`; everything else is shared.
protocol StateConnection {
    /// Runs a statement that returns no rows.
    ///
    /// - Parameters:
    ///   - sql: One statement, placeholders `?`. Constant text: it is the key of the prepared statement's cache.
    ///   - values: One for each placeholder, in order.
    /// - Returns: How many rows it changed.
    /// - Throws: `StateStoreError`.
    @discardableResult
    func execute(_ sql: String, _ values: [SQLValue]) throws -> Int

    /// Runs a statement and maps its rows in order.
    ///
    /// - Parameter map: Called once a row while the statement runs, so it must not use the connection.
    /// - Throws: `StateStoreError`, or what `map` throws.
    func query<Value>(_ sql: String, _ values: [SQLValue], _ map: (any StateRow) throws -> Value) throws -> [Value]
}

extension StateConnection {
    /// The first row, if there is one.
    func first<Value>(_ sql: String, _ values: [SQLValue], _ map: (any StateRow) throws -> Value) throws -> Value? {
        try query(sql, values, map).first
    }
}

/// What a column of a row holds.
enum StateColumnKind {
    case null
    case int
    case double
    case text
    /// Bytes, or what else a driver knows; no column of the schema is such.
    case other
}

/// One row of a result, columns from 0; lives until `map` returns.
///
/// A column is asked for its kind first; reading it as another kind gives some value of the driver's. A class, one a
/// result: a row is asked dozens of times, and a boxed value costs more each time than the driver's call.
protocol StateRow: AnyObject {
    func kind(_ column: Int) -> StateColumnKind
    func int(_ column: Int) -> Int64
    func double(_ column: Int) -> Double
    func text(_ column: Int) -> String
    var memo: ColumnMemo { get }
}

extension StateRow {
    func value(_ column: Int) -> SQLValue {
        switch kind(column) {
        case .int: .int(int(column))
        case .double: .double(double(column))
        case .text: .text(text(column))
        case .null, .other: .null
        }
    }
}
