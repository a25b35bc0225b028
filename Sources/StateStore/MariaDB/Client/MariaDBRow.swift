// SPDX-License-Identifier: Apache-2.0

import CMariaDB

/// The row that a statement has fetched: buffers of its own that the library writes into.
final class MariaDBRow: StateRow {
    private let count: Int
    private let kinds: [StateColumnKind]
    let binds: UnsafeMutablePointer<MYSQL_BIND>
    private let lengths: UnsafeMutablePointer<UInt>
    private let nulls: UnsafeMutablePointer<my_bool>
    let memo = ColumnMemo()

    /// Bytes that a text column begins with; grows when a text is longer.
    private static let textBytes = 64

    /// - Parameter types: The types of the result's columns, and whether each holds bytes instead of text.
    init(_ types: [(type: enum_field_types, isBinary: Bool)]) {
        count = types.count
        binds = .allocate(capacity: max(1, count))
        lengths = .allocate(capacity: max(1, count))
        nulls = .allocate(capacity: max(1, count))
        binds.initialize(repeating: MYSQL_BIND(), count: max(1, count))
        lengths.initialize(repeating: 0, count: max(1, count))
        nulls.initialize(repeating: 0, count: max(1, count))
        kinds = types.map { Self.kind($0.type, isBinary: $0.isBinary) }
        for column in 0..<count {
            let size: Int
            switch kinds[column] {
            case .int:
                binds[column].buffer_type = MYSQL_TYPE_LONGLONG
                size = MemoryLayout<Int64>.size
            case .double:
                binds[column].buffer_type = MYSQL_TYPE_DOUBLE
                size = MemoryLayout<Double>.size
            default:
                binds[column].buffer_type = MYSQL_TYPE_STRING
                size = Self.textBytes
            }
            binds[column].buffer = .allocate(byteCount: size, alignment: 8)
            binds[column].buffer_length = UInt(size)
            binds[column].length = lengths + column
            binds[column].is_null = nulls + column
        }
    }

    deinit {
        for column in 0..<count { binds[column].buffer?.deallocate() }
        binds.deallocate()
        lengths.deallocate()
        nulls.deallocate()
    }

    private static func kind(_ type: enum_field_types, isBinary: Bool) -> StateColumnKind {
        switch type {
        case MYSQL_TYPE_TINY, MYSQL_TYPE_SHORT, MYSQL_TYPE_INT24, MYSQL_TYPE_LONG, MYSQL_TYPE_LONGLONG, MYSQL_TYPE_YEAR:
            .int
        case MYSQL_TYPE_FLOAT, MYSQL_TYPE_DOUBLE: .double
        case MYSQL_TYPE_VARCHAR, MYSQL_TYPE_VAR_STRING, MYSQL_TYPE_STRING, MYSQL_TYPE_TINY_BLOB, MYSQL_TYPE_BLOB,
            MYSQL_TYPE_MEDIUM_BLOB, MYSQL_TYPE_LONG_BLOB, MYSQL_TYPE_JSON:
            isBinary ? .other : .text
        default: .other
        }
    }

    /// Makes room for the texts of this row that did not fit.
    ///
    /// - Parameter fetch: Reads a column into its buffer again.
    func grow(_ fetch: (Int) -> Void) {
        for column in 0..<count where lengths[column] > binds[column].buffer_length {
            guard kinds[column] != .int, kinds[column] != .double else { continue }
            var size = binds[column].buffer_length
            while size < lengths[column] { size *= 2 }
            binds[column].buffer?.deallocate()
            binds[column].buffer = .allocate(byteCount: Int(size), alignment: 8)
            binds[column].buffer_length = size
            fetch(column)
        }
    }

    func kind(_ column: Int) -> StateColumnKind {
        guard column < count else { return .null }
        return nulls[column] != 0 ? .null : kinds[column]
    }

    func int(_ column: Int) -> Int64 { binds[column].buffer?.load(as: Int64.self) ?? 0 }

    func double(_ column: Int) -> Double { binds[column].buffer?.load(as: Double.self) ?? 0 }

    func text(_ column: Int) -> String {
        let bytes = UnsafeRawBufferPointer(
            start: binds[column].buffer, count: Int(min(lengths[column], binds[column].buffer_length)))
        return memo.text(column, bytes)
    }
}
