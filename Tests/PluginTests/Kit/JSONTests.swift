// SPDX-License-Identifier: Apache-2.0

import Testing
import TrovePluginKit

@Suite("The kit's JSON")
struct JSONTests {
    @Test("a value survives writing and reading")
    func roundTrip() throws {
        let value: JSON = [
            "null": .null, "bools": [true, false], "int": .int(.min), "double": .double(0.1),
            "text": "a\"\\\n\t\u{1}\u{7F}é😀", "nested": [["x": []], [:]],
        ]
        #expect(try JSON(parsing: value.serialized) == value)
    }

    @Test("keys are written in ascending order, compact")
    func writing() {
        #expect(JSON.object(["b": 1, "a": [true, .null]]).text == #"{"a":[true,null],"b":1}"#)
        #expect(JSON.double(.infinity).text == "null")
        #expect(JSON.string("\u{1F}/").text == #""\u001f/""#)
    }

    @Test(
        "what the boundary's rules forbid is refused",
        arguments: [
            "", "{", "[1,]", #"{"a":1,"a":2}"#, "01", "1 2", "\"\u{1}\"", #""\ud800""#, "nul", "+1", "1.", #"{"a"}"#,
            "[1", "\"x", #""\x""#, "1e999",
        ])
    func refusals(_ text: String) {
        #expect(throws: JSONError.self) { try JSON(parsing: text) }
    }

    @Test("bytes that are no UTF-8, and a depth without end, are refused")
    func hostileBytes() {
        #expect(throws: JSONError.self) { try JSON(parsing: [0x22, 0xFF, 0x22]) }
        let deep = String(repeating: "[", count: 200) + String(repeating: "]", count: 200)
        #expect(throws: JSONError.self) { try JSON(parsing: deep) }
    }

    @Test("integers stay integers and escapes become text")
    func reading() throws {
        #expect(try JSON(parsing: "9007199254740993") == .int(9_007_199_254_740_993))
        #expect(try JSON(parsing: "1.0") == .double(1))
        #expect(try JSON(parsing: #" "\u00e9\ud83d\ude00\/" "#) == "é😀/")
    }
}
