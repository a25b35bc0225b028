// SPDX-License-Identifier: Apache-2.0

import Client
import Testing

@Suite("Text width")
struct TextWidthTests {
    @Test(
        "counts columns of a terminal",
        arguments: [
            ("", 0), ("shop", 4), ("Ärger", 5), ("e\u{301}", 1), ("商店", 4), ("한글", 4), ("ｱ", 1), ("🐘", 2),
            ("👩‍👩‍👧", 2), ("❤️", 2), ("a\u{200B}b", 2), ("，", 2),
        ])
    func columns(text: String, expected: Int) {
        #expect(TextWidth.columns(text) == expected)
    }

    @Test("writes out what would move the cursor or turn the direction")
    func visible() {
        #expect(TextWidth.visible("a\u{1B}[31mb\r\t\u{202E}c\nd") == "a\\u{1b}[31mb\\u{d}\\u{9}\\u{202e}c\nd")
        #expect(TextWidth.visible("plain 商店") == "plain 商店")
    }

    @Test("wraps at blanks, and within words that are too long")
    func wrapped() {
        #expect(TextWidth.wrapped("one two three", to: 7) == ["one two", "three"])
        #expect(TextWidth.wrapped("abcdefghij", to: 4) == ["abcd", "efgh", "ij"])
        #expect(TextWidth.wrapped("商店商店", to: 5) == ["商店", "商店"])
        #expect(TextWidth.wrapped("short", to: 9) == ["short"])
    }
}
