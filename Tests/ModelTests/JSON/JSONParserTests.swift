// SPDX-License-Identifier: Apache-2.0

import Model
import Testing

@Suite("Reading JSON")
struct JSONParserTests {
    @Test("an integer stays an integer, a fraction a double")
    func numbers() throws {
        #expect(try JSONValue(parsing: "[1, 1.0, -7, 1e2]") == [.int(1), .double(1), .int(-7), .double(100)])
        #expect(try JSONValue(parsing: "9223372036854775807") == .int(.max))
        #expect(try JSONValue(parsing: "-9223372036854775808") == .int(.min))
        #expect(try JSONValue(parsing: "9223372036854775808") == .double(9_223_372_036_854_775_808))
        #expect(try JSONValue(parsing: "0.5e-3") == .double(0.0005))
    }

    @Test("every kind of value, with white space around everything")
    func values() throws {
        let text = " {\t\"a\" : [ true , false ,\nnull , \"x\" ] ,\r\n \"b\" : { } , \"c\" : [ ] } "
        #expect(try JSONValue(parsing: text) == ["a": [true, false, .null, "x"], "b": [:], "c": []])
    }

    @Test("escapes, surrogate pairs and raw UTF-8")
    func strings() throws {
        #expect(try JSONValue(parsing: #""\"\\\/\b\f\n\r\t""#) == .string("\"\\/\u{8}\u{C}\n\r\t"))
        #expect(try JSONValue(parsing: #""\u00e9\uD83d\ude00\u0000""#) == .string("é😀\u{0}"))
        #expect(try JSONValue(parsing: "\"é😀\"") == .string("é😀"))
        #expect(try JSONValue(parsing: #"{"\u0061": 1}"#) == ["a": 1])
    }

    @Test(
        "what is not JSON is refused",
        arguments: [
            "", " ", "nul", "truth", "tru", "[1,]", "[1 2]", "[", "[1", "{", "{\"a\"}", "{\"a\":}", "{\"a\":1,}",
            "{a:1}",
            "{\"a\":1 \"b\":2}", "'a'", "\"a", "\"\\", "\"\\x\"", "\"\\u12\"", "\"\\u12g4\"", "\"\u{1}\"",
            "\"\\n\u{1}\"",
            "01", "-", "-a", "+1", ".5", "1.", "1.e1", "1e", "1e+", "1e999", "0x10", "NaN", "Infinity", "1 1", "[]]",
            "{}x",
            "\u{FEFF}1",
        ])
    func refused(text: String) {
        #expect(throws: JSONError.self) { try JSONValue(parsing: text) }
    }

    @Test("equal keys are refused, also when one is escaped or they stand deep inside")
    func duplicateKeys() {
        for text in [#"{"a":1,"a":1}"#, #"{"a":1,"\u0061":2}"#, #"[{"x":{"a":null,"b":1,"a":null}}]"#] {
            #expect { try JSONValue(parsing: text) } throws: {
                ($0 as? JSONError)?.message.contains("duplicate key") == true
            }
        }
        #expect(throws: Never.self) { try JSONValue(parsing: #"{"a":{"a":1},"b":{"a":1},"A":1}"#) }
    }

    @Test(
        "lone and misplaced surrogates are refused",
        arguments: [#""\ud800""#, #""\udc00""#, #""\ud800x""#, #""\ud800\n""#, #""\ud800\ud800""#, #""\udc00\ud800""#])
    func surrogates(text: String) {
        #expect { try JSONValue(parsing: text) } throws: {
            ($0 as? JSONError)?.message.contains("lone surrogate") == true
        }
    }

    @Test(
        "invalid UTF-8 is refused: stray, overlong, cut short, surrogate, beyond Unicode",
        arguments: [[0x80], [0xC0, 0xAF], [0xE2, 0x82], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80], [0xFF]]
            as [[UInt8]])
    func invalidUTF8(bytes: [UInt8]) {
        let quote = UInt8(ascii: "\"")
        let inValue = [quote] + bytes + [quote]
        let afterEscape = [quote] + Array("\\n".utf8) + bytes + [quote]
        let inKey = Array("{".utf8) + inValue + Array(":1}".utf8)
        for text in [inValue, afterEscape, inKey] {
            #expect { try JSONValue(parsing: text) } throws: { ($0 as? JSONError)?.message.contains("UTF-8") == true }
        }
    }

    @Test("nesting as deep as allowed is read, one level more is refused, whatever is inside")
    func depth() throws {
        func nested(_ levels: Int, _ core: String, object: Bool = false) -> String {
            let (open, close) = object ? ("{\"a\":", "}") : ("[", "]")
            return String(repeating: open, count: levels) + core + String(repeating: close, count: levels)
        }
        #expect(throws: Never.self) { try JSONValue(parsing: nested(64, "1")) }
        #expect(throws: Never.self) { try JSONValue(parsing: nested(63, "{}", object: true)) }
        #expect(throws: Never.self) { try JSONValue(parsing: nested(3, ""), maximumDepth: 3) }
        for text in [
            nested(65, ""), nested(65, "1"), nested(64, "{}"), nested(64, "[]", object: true), nested(100_000, ""),
        ] {
            #expect { try JSONValue(parsing: text) } throws: {
                ($0 as? JSONError)?.message.contains("64 levels") == true
            }
        }
        #expect(throws: JSONError.self) { try JSONValue(parsing: "[]", maximumDepth: 0) }
        #expect(try JSONValue(parsing: "1", maximumDepth: 0) == 1)
    }

    @Test("an error names the byte and shows none of the input")
    func errors() {
        #expect { try JSONValue(parsing: #"{"password": hunter2}"#) } throws: { error in
            "\(error)" == "unexpected byte at byte 13"
        }
    }

    @Test("any bytes are read or refused, never a trap")
    func noise() throws {
        let alphabet = Array("{}[]\",:\\u0123dDeE+-.tfn \u{1}é".utf8) + [0xFF, 0xC3]
        var state: UInt64 = 42
        for length in 0..<2000 {
            let bytes = (0..<length % 40).map { _ -> UInt8 in
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                return alphabet[Int(state >> 33) % alphabet.count]
            }
            if let value = try? JSONValue(parsing: bytes) {
                #expect(try JSONValue(parsing: value.serialized) == value)
            }
        }
    }
}
