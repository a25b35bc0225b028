// SPDX-License-Identifier: Apache-2.0

import Messaging
import Model
import Testing

@Suite("Envelope")
struct EnvelopeTests {
    /// Captured from a real peer.
    static let captured = #"""
        {"oslo.version": "2.0", "oslo.message": "{\"method\": \"note\", \"args\": {\"tag\": \"\\u00e9 \\\"q\\\"\"}, \"version\": \"1.0\", \"_unique_id\": \"b180ecde41c84956a0c0d034d7fb34ff\", \"_context_user\": \"u1\", \"_context_is_admin\": true}"}
        """#

    @Test("a captured body opens")
    func captured() throws {
        let message = try Envelope.open(Array(Self.captured.utf8))
        #expect(message["method"] == "note")
        #expect(message["args"] == ["tag": "é \"q\""])
        #expect(message["_unique_id"] == "b180ecde41c84956a0c0d034d7fb34ff")
        #expect(message["_context_is_admin"] == true)
    }

    @Test("a closed message opens to itself")
    func roundTrip() throws {
        let message: [String: JSONValue] = ["method": "x", "args": ["t": "é \"q\" \\ \n\u{1}", "n": 1, "d": 1.5]]
        #expect(try Envelope.open(Envelope.close(message)) == message)
    }

    @Test("the inner message is text, in an envelope of version 2.0")
    func shape() throws {
        let outer = try JSONValue(parsing: Envelope.close(["a": 1]))
        #expect(outer == ["oslo.version": "2.0", "oslo.message": #"{"a":1}"#])
    }

    @Test(
        "what the rabbit driver accepts is accepted",
        arguments: [
            #"{"method": "x"}"#,
            #"{"oslo.version": "2.0", "oslo.message": "{\"method\": \"x\"}", "extra": 1}"#,
            #"{"oslo.message": "only one member", "method": "x"}"#,
            #"{"oslo.version": "2.0", "oslo.message": "{\"method\": \"x\", \"raw\": \"é\"}"}"#,
        ])
    func tolerated(_ body: String) throws {
        #expect(try Envelope.open(Array(body.utf8))["method"] == "x")
    }

    @Test(
        "what the rabbit driver rejects is refused",
        arguments: [
            #"{"oslo.version": "1.0", "oslo.message": "{}"}"#, #"{"oslo.version": "2.1", "oslo.message": "{}"}"#,
            #"{"oslo.version": "3.0", "oslo.message": "{}"}"#, #"{"oslo.version": 2.0, "oslo.message": "{}"}"#,
            #"{"oslo.version": "2", "oslo.message": "{}"}"#, #"{"oslo.version": "2.0", "oslo.message": {}}"#,
            #"{"oslo.version": "2.0", "oslo.message": "[]"}"#, #"{"oslo.version": "2.0", "oslo.message": "{"}"#,
            "[]", "", "{",
        ])
    func refused(_ body: String) {
        let error = #expect(throws: MessagingError.self) { try Envelope.open(Array(body.utf8)) }
        #expect(error?.code == .badMessage)
    }

    @Test(
        "the usual form opens whatever is in it, and what only looks like it is read as JSON",
        arguments: [
            (#"{"oslo.version": "2.0", "oslo.message": "{\"a\": \"\\n\\\"\\\\ \u00e9\"}"}"#, "\n\"\\ é"),
            (#"{"oslo.version":"2.0","oslo.message":"{\"a\":\"x\\/y\"}"}"#, "x/y"),
            (#"{"oslo.version": "2.0", "oslo.message": "{\"a\": \"b\"}\n\t\r "}"#, "b"),
            (#"{ "oslo.version" : "2.0", "oslo.message": "{\"a\": \"b\"}" }"#, "b"),
        ])
    func forms(_ body: String, _ value: String) throws {
        #expect(try Envelope.open(Array(body.utf8))["a"] == .string(value))
    }

    @Test(
        "a form that is cut or goes on is refused",
        arguments: [
            #"{"oslo.version": "2.0", "oslo.message": ""}"#, #"{"oslo.version": "2.0", "oslo.message": "}"#,
            #"{"oslo.version": "2.0", "oslo.message":  ""}"#, #"{"oslo.version": "2.0", "oslo.message": "\"}"#,
            #"{"oslo.version": "2.0", "oslo.message": "{}"x"}"#, #"{"oslo.version":"2.0","oslo.message":"{}\"}"#,
        ])
    func cut(_ body: String) {
        #expect(throws: MessagingError.self) { try Envelope.open(Array(body.utf8)) }
    }

    @Test("bytes that are no UTF-8 are refused")
    func broken() {
        var body = Envelope.close(["a": "xx"])
        if let index = body.lastIndex(of: UInt8(ascii: "x")) { body[index] = 0xFF }
        #expect(throws: MessagingError.self) { try Envelope.open(body) }
    }
}
