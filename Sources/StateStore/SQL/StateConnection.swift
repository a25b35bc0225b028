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

/// One row of a result, columns from 0.
protocol StateRow {
    func value(_ column: Int) -> SQLValue
}
