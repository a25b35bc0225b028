// SPDX-License-Identifier: Apache-2.0

import Model
import Testing

@Suite("Writing JSON")
struct JSONWriterTests {
    @Test("values are compact, keys ascend, integers and doubles stay apart")
    func compact() {
        let value: JSONValue = ["b": [1, 1.0, -2.5, true, false, .null], "a": ["z": "é", "y": [:], "x": []]]
        #expect(value.text == #"{"a":{"x":[],"y":{},"z":"é"},"b":[1,1.0,-2.5,true,false,null]}"#)
    }

    @Test("quotes, backslashes and control characters are escaped, nothing else")
    func escapes() {
        #expect(
            JSONValue.string("\"\\/\n\r\t\u{0}\u{8}\u{1F}\u{7F}\u{2028}").text
                == "\"\\\"\\\\/\\n\\r\\t\\u0000\\u0008\\u001f\u{7F}\u{2028}\"")
    }

    @Test("a byte to escape is found wherever it stands, and what is like it is left alone")
    func escapesAnywhere() {
        for special in 0...255 {
            guard let scalar = Unicode.Scalar(special).map(Character.init) else { continue }
            let expected =
                switch special {
                case 0x22: "\\\""
                case 0x5C: "\\\\"
                case 0x0A: "\\n"
                case 0x0D: "\\r"
                case 0x09: "\\t"
                case 0..<0x10: "\\u000" + String(special, radix: 16)
                case 0..<0x20: "\\u00" + String(special, radix: 16)
                default: String(scalar)
                }
            for length in 0...20 {
                for position in 0...length {
                    let before = String(repeating: "!", count: position)
                    let after = String(repeating: "[", count: length - position)
                    let text = JSONValue.string(before + String(scalar) + after).text
                    #expect(text == "\"" + before + expected + after + "\"")
                }
            }
        }
    }

    @Test("fragments join with what is written around them, and what continues them is escaped")
    func fragments() {
        var writer = JSONWriter(reservingBytes: 0)
        let opened = Array(#""links":[{"href":"https://host/"#.utf8)
        writer.object { writer in
            for text in ["plain", #"a"b"#] {
                writer.member("id", text)
                writer.fragment(opened, begins: true)
                writer.continued(text)
                writer.fragment(Array(#""}]"#.utf8))
            }
            writer.member("last", "")
        }
        #expect(
            String(decoding: writer.bytes, as: UTF8.self)
                == #"{"id":"plain","links":[{"href":"https://host/plain"}],"#
                + #""id":"a\"b","links":[{"href":"https://host/a\"b"}],"last":""}"#)
    }

    @Test("what cannot be written as a number is null")
    func infinite() {
        #expect(JSONValue.array([.double(.infinity), .double(-.infinity), .double(.nan)]).text == "[null,null,null]")
    }

    @Test("extreme values read back as they were")
    func roundTrip() throws {
        let value: JSONValue = [
            .int(.max), .int(.min), .double(.greatestFiniteMagnitude), .double(.leastNonzeroMagnitude), .double(1e100),
            .double(0.1), .double(-0.0), .string(""), .string("\u{10FFFF}"), ["": ["\u{0}": 1]],
        ]
        #expect(try JSONValue(parsing: value.serialized) == value)
    }

    @Test("members are written in the order of the calls, nil as null")
    func streaming() {
        var writer = JSONWriter()
        writer.object { writer in
            writer.member("z", "text")
            writer.member("none", nil as String?)
            writer.member("i", 7)
            writer.member("b", true)
            writer.key("list")
            writer.array { writer in
                writer.int(1)
                writer.object { _ in }
                writer.array { _ in }
                writer.string("x")
                writer.null()
            }
            writer.member("last", false)
        }
        #expect(
            String(decoding: writer.bytes, as: UTF8.self)
                == #"{"z":"text","none":null,"i":7,"b":true,"list":[1,{},[],"x",null],"last":false}"#)
    }

    @Test("accessors answer for their own kind alone")
    func accessors() {
        let value: JSONValue = ["i": 1, "d": 1.5, "s": "x", "b": true, "a": [1], "n": .null]
        #expect(value["i"]?.intValue == 1)
        #expect(value["i"]?.doubleValue == 1)
        #expect(value["d"]?.intValue == nil)
        #expect(value["d"]?.doubleValue == 1.5)
        #expect(value["s"]?.stringValue == "x")
        #expect(value["b"]?.boolValue == true)
        #expect(value["b"]?.intValue == nil)
        #expect(value["a"]?[0] == 1)
        #expect(value["a"]?[1] == nil)
        #expect(value["a"]?[-1] == nil)
        #expect(value["n"]?.isNull == true)
        #expect(value["missing"] == nil)
        #expect(value["s"]?["x"] == nil)
        #expect(JSONValue.optional(nil as Int?) == .null)
        #expect(JSONValue.optional("x") == "x")
    }
}
