// SPDX-License-Identifier: Apache-2.0

import GRDB
import GRDBSQLite
import Model

/// A connection that only reads, for one thread.
///
/// On SQLite's own interface, every statement prepared once, BEGIN and COMMIT too: a page of instances is read in less time
/// than GRDB needs to get ready for it. Not `Sendable`: who makes it uses it.
final class SQLiteReader: StateConnection {
    private let database: OpaquePointer
    private var statements: [String: OpaquePointer] = [:]

    /// Opens a database that is there and migrated.
    ///
    /// - Throws: what SQLite reports, as `StateStoreError`.
    init(path: String, busyTimeout: Duration) throws(StateStoreError) {
        var opened: OpaquePointer?
        let code = sqlite3_open_v2(path, &opened, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, nil)
        guard code == SQLITE_OK, let opened else {
            let error = Self.error(code, opened)
            sqlite3_close_v2(opened)
            throw error
        }
        database = opened
        sqlite3_busy_timeout(database, Int32(clamping: busyTimeout.microseconds / 1000))
        for pragma in SQLiteStateStore.pragmas { try run(pragma) }
    }

    deinit {
        for statement in statements.values { sqlite3_finalize(statement) }
        sqlite3_close_v2(database)
    }

    /// Runs `body` against one snapshot.
    func snapshot<Value>(_ body: (any StateConnection) throws -> Value) throws -> Value {
        try run("BEGIN DEFERRED TRANSACTION")
        do {
            let value = try body(self)
            try run("COMMIT TRANSACTION")
            return value
        } catch {
            // Some failures have ended the transaction already.
            if sqlite3_get_autocommit(database) == 0 { try? run("ROLLBACK TRANSACTION") }
            throw error
        }
    }

    func execute(_ sql: String, _ values: [SQLValue]) throws -> Int {
        try run(sql, values)
        return Int(sqlite3_changes(database))
    }

    func query<Value>(_ sql: String, _ values: [SQLValue], _ map: (any StateRow) throws -> Value) throws -> [Value] {
        let statement = try prepared(sql)
        defer { release(statement) }
        try bind(values, to: statement)
        let row = SQLiteRow(statement: statement)
        var result: [Value] = []
        while try step(statement) { result.append(try map(row)) }
        return result
    }

    private func run(_ sql: String, _ values: [SQLValue] = []) throws(StateStoreError) {
        let statement = try prepared(sql)
        defer { release(statement) }
        try bind(values, to: statement)
        while try step(statement) {}
    }

    private func prepared(_ sql: String) throws(StateStoreError) -> OpaquePointer {
        if let statement = statements[sql] { return statement }
        var statement: OpaquePointer?
        let code = sqlite3_prepare_v3(database, sql, -1, UInt32(SQLITE_PREPARE_PERSISTENT), &statement, nil)
        guard code == SQLITE_OK, let statement else { throw Self.error(code, database) }
        statements[sql] = statement
        return statement
    }

    /// Whether the statement stands on a row now.
    private func step(_ statement: OpaquePointer) throws(StateStoreError) -> Bool {
        switch sqlite3_step(statement) {
        case SQLITE_ROW: return true
        case SQLITE_DONE: return false
        case let code: throw Self.error(code, database)
        }
    }

    private func release(_ statement: OpaquePointer) {
        sqlite3_reset(statement)
        sqlite3_clear_bindings(statement)
    }

    private func bind(_ values: [SQLValue], to statement: OpaquePointer) throws(StateStoreError) {
        guard values.count == Int(sqlite3_bind_parameter_count(statement)) else {
            throw Self.error(SQLITE_RANGE, nil)
        }
        for (index, value) in values.enumerated() {
            let code = Self.bind(value, statement, Int32(index + 1))
            guard code == SQLITE_OK else { throw Self.error(code, database) }
        }
    }

    private static func bind(_ value: SQLValue, _ statement: OpaquePointer, _ index: Int32) -> Int32 {
        switch value {
        case .null: return sqlite3_bind_null(statement, index)
        case .int(let value): return sqlite3_bind_int64(statement, index, value)
        case .double(let value): return sqlite3_bind_double(statement, index, value)
        case .text(var text):
            return text.withUTF8 { utf8 in
                // As `SQLiteConnection` does: a text with a zero byte equals no stored text.
                if utf8.contains(0) {
                    return sqlite3_bind_blob64(statement, index, utf8.baseAddress, UInt64(utf8.count), copied)
                }
                // Without bytes there may be no address, and that would be NULL.
                guard let start = utf8.baseAddress, !utf8.isEmpty else {
                    return sqlite3_bind_text(statement, index, "", 0, copied)
                }
                return start.withMemoryRebound(to: CChar.self, capacity: utf8.count) {
                    sqlite3_bind_text(statement, index, $0, Int32(clamping: utf8.count), copied)
                }
            }
        }
    }

    /// SQLITE_TRANSIENT, a macro that Swift does not import: SQLite copies what is bound.
    private static let copied = unsafeBitCast(-1, to: sqlite3_destructor_type.self)

    private static func error(_ code: Int32, _ database: OpaquePointer?) -> StateStoreError {
        let extended = database.map { sqlite3_extended_errcode($0) } ?? code
        let message = database.map { String(cString: sqlite3_errmsg($0)) } ?? String(cString: sqlite3_errstr(code))
        return StateStoreError(DatabaseError(resultCode: ResultCode(rawValue: extended), message: message))
    }
}
