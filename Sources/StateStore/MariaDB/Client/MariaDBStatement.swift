// SPDX-License-Identifier: Apache-2.0

import CMariaDB

/// One prepared statement of one connection, with its parameters' and its row's buffers. Stays on its connection's thread.
final class MariaDBStatement {
    private let statement: UnsafeMutablePointer<MYSQL_STMT>
    private let count: Int
    private let parameters: UnsafeMutablePointer<MYSQL_BIND>
    /// Where numbers are bound from.
    private let numbers: UnsafeMutablePointer<Int64>
    /// Where texts are bound from, one behind the other.
    private var texts = UnsafeMutableRawBufferPointer.allocate(byteCount: 256, alignment: 1)
    private var row: MariaDBRow?
    private var columns: [enum_field_types.RawValue] = []

    /// Prepares `sql` on the server.
    init(_ sql: String, on connection: UnsafeMutablePointer<MYSQL>) throws(MariaDBFailure) {
        guard let statement = mysql_stmt_init(connection) else {
            throw MariaDBFailure(number: MariaDBFailure.outOfMemory, text: "out of memory")
        }
        var text = sql
        let code = text.withUTF8 { utf8 in
            utf8.withMemoryRebound(to: CChar.self) {
                mysql_stmt_prepare(statement, $0.baseAddress, UInt($0.count))
            }
        }
        guard code == 0 else {
            let failure = Self.failure(statement)
            mysql_stmt_close(statement)
            throw failure
        }
        self.statement = statement
        count = Int(mysql_stmt_param_count(statement))
        parameters = .allocate(capacity: max(1, count))
        parameters.initialize(repeating: MYSQL_BIND(), count: max(1, count))
        numbers = .allocate(capacity: max(1, count))
        numbers.initialize(repeating: 0, count: max(1, count))
    }

    deinit {
        mysql_stmt_close(statement)
        parameters.deallocate()
        numbers.deallocate()
        texts.deallocate()
    }

    /// - Returns: The rows that it found (UPDATE) or changed.
    func execute(_ values: [SQLValue]) throws(MariaDBFailure) -> Int {
        try run(values)
        let rows = mysql_stmt_affected_rows(statement)
        if mysql_stmt_field_count(statement) > 0 { mysql_stmt_free_result(statement) }
        return Int(clamping: rows)
    }

    /// Calls `body` once a row; the whole result has come by then.
    func query(_ values: [SQLValue], _ body: (any StateRow) throws -> Void) throws {
        try run(values)
        guard mysql_stmt_field_count(statement) > 0 else { return }
        defer { mysql_stmt_free_result(statement) }
        guard mysql_stmt_store_result(statement) == 0 else { throw Self.failure(statement) }
        let row = resultRow()
        guard mysql_stmt_bind_result(statement, row.binds) == 0 else { throw Self.failure(statement) }
        while true {
            switch mysql_stmt_fetch(statement) {
            case 0: break
            case MYSQL_NO_DATA: return
            case MYSQL_DATA_TRUNCATED:
                row.grow { column in
                    mysql_stmt_fetch_column(statement, row.binds + column, UInt32(column), 0)
                }
                guard mysql_stmt_bind_result(statement, row.binds) == 0 else { throw Self.failure(statement) }
            default: throw Self.failure(statement)
            }
            try body(row)
        }
    }

    private func run(_ values: [SQLValue]) throws(MariaDBFailure) {
        guard values.count == count else {
            throw MariaDBFailure(
                number: MariaDBFailure.notBound, text: "a statement needs \(count) values, not \(values.count)")
        }
        bind(values)
        if count > 0, mysql_stmt_bind_param(statement, parameters) != 0 { throw Self.failure(statement) }
        guard mysql_stmt_execute(statement) == 0 else { throw Self.failure(statement) }
    }

    private func bind(_ values: [SQLValue]) {
        var size = 0
        for case .text(let text) in values { size += text.utf8.count }
        if size > texts.count {
            texts.deallocate()
            texts = .allocate(byteCount: max(size, texts.count * 2), alignment: 1)
        }
        var offset = 0
        for (index, value) in values.enumerated() {
            parameters[index] = MYSQL_BIND()
            switch value {
            case .null:
                parameters[index].buffer_type = MYSQL_TYPE_NULL
            case .int(let number):
                numbers[index] = number
                parameters[index].buffer_type = MYSQL_TYPE_LONGLONG
                parameters[index].buffer = UnsafeMutableRawPointer(numbers + index)
            case .double(let number):
                numbers[index] = Int64(bitPattern: number.bitPattern)
                parameters[index].buffer_type = MYSQL_TYPE_DOUBLE
                parameters[index].buffer = UnsafeMutableRawPointer(numbers + index)
            case .text(var text):
                let start = offset
                text.withUTF8 { utf8 in
                    guard let base = utf8.baseAddress, !utf8.isEmpty else { return }
                    texts.baseAddress?.advanced(by: offset).copyMemory(from: base, byteCount: utf8.count)
                    offset += utf8.count
                }
                parameters[index].buffer_type = MYSQL_TYPE_STRING
                parameters[index].buffer = texts.baseAddress?.advanced(by: start)
                parameters[index].buffer_length = UInt(offset - start)
                parameters[index].length_value = UInt(offset - start)
            }
        }
    }

    /// The row's buffers, made anew when another schema gives other columns.
    private func resultRow() -> MariaDBRow {
        let fields = UnsafeBufferPointer(
            start: statement.pointee.fields, count: Int(mysql_stmt_field_count(statement)))
        let types = fields.map(\.type.rawValue)
        if let row, types == columns { return row }
        // 63 is the character set "binary". Source: MariaDB, "Character sets".
        let made = MariaDBRow(fields.map { ($0.type, $0.charsetnr == 63) })
        row = made
        columns = types
        return made
    }

    private static func failure(_ statement: UnsafeMutablePointer<MYSQL_STMT>) -> MariaDBFailure {
        MariaDBFailure(
            number: mysql_stmt_errno(statement), text: String(cString: mysql_stmt_error(statement)))
    }
}
