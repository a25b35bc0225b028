// SPDX-License-Identifier: Apache-2.0

import Model
import Testing

@testable import StateStore

@Suite("Column memo")
struct ColumnMemoTests {
    private func read(_ memo: ColumnMemo, _ column: Int, _ text: String) -> String {
        Array(text.utf8).withUnsafeBytes { memo.text(column, $0) }
    }

    @Test(
        "each row gets its own text, whatever the row before said",
        arguments: [
            ["", "short", "a text of more than fifteen bytes", "a text of more than fifteen bytes"],
            ["a text of more than fifteen bytes", "b text of more than fifteen bytes", "", "short"],
            // Equal to the eye and to `==`, not in bytes.
            ["caf\u{E9} of more than fifteen bytes", "cafe\u{301} of more than fifteen bytes"],
        ])
    func texts(rows: [String]) {
        let memo = ColumnMemo()
        for row in rows {
            #expect(Array(read(memo, 3, row).utf8) == Array(row.utf8))
            #expect(read(memo, 0, "another column's text, as long") == "another column's text, as long")
        }
    }

    @Test("JSON is what the row's own text says, and what is no JSON is an error each time")
    func json() throws {
        let memo = ColumnMemo()
        for text in [#"{"is_public":false}"#, #"{"is_public":false}"#, #"{"is_public":true }"#, "[1]", "[2]"] {
            #expect(try memo.json(1, read(memo, 1, text)) == JSONValue(parsing: text))
        }
        for _ in 1...2 {
            #expect(throws: (any Error).self) { try memo.json(1, read(memo, 1, "{ this is no JSON at all")) }
        }
    }
}
