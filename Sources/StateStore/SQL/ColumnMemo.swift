// SPDX-License-Identifier: Apache-2.0

import Glibc
import Model

/// The last text of each column of one result, for a page's rows say much alike: project, flavor, datastore, access.
///
/// A text that the row before had in the same column is shared, and its JSON is parsed once.
final class ColumnMemo {
    private struct Column {
        var text: String?
        var json: JSONValue?
    }

    private var columns: [Column] = []

    /// The bytes as a text.
    func text(_ column: Int, _ bytes: UnsafeRawBufferPointer) -> String {
        // Shorter ones need no memory of their own.
        if bytes.count <= 15 { return String(decoding: bytes, as: UTF8.self) }
        while columns.count <= column { columns.append(Column()) }
        if let text = columns[column].text, Self.isSame(text, bytes) { return text }
        let text = String(decoding: bytes, as: UTF8.self)
        columns[column] = Column(text: text)
        return text
    }

    /// What the text of the column says; `text` is what `text(_:_:)` just returned for it.
    func json(_ column: Int, _ text: String) throws -> JSONValue {
        if column < columns.count, columns[column].text == text, let json = columns[column].json { return json }
        let json = try JSONValue(parsing: text)
        if column < columns.count, columns[column].text == text { columns[column].json = json }
        return json
    }

    private static func isSame(_ text: String, _ bytes: UnsafeRawBufferPointer) -> Bool {
        text.utf8.count == bytes.count
            && text.utf8.withContiguousStorageIfAvailable { utf8 in
                guard let left = utf8.baseAddress, let right = bytes.baseAddress else { return false }
                return memcmp(left, right, bytes.count) == 0
            } ?? false
    }
}
