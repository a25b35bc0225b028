// SPDX-License-Identifier: Apache-2.0

import Messaging
import Model
import Testing

@Suite("ReplyMessage and ReplyAssembly")
struct ReplyMessageTests {
    private func read(_ text: String) throws -> ReplyMessage { try ReplyMessage(body: Array(text.utf8)) }

    private func outcome(_ replies: [String]) throws -> Result<JSONValue, MessagingError>? {
        var assembly = ReplyAssembly(method: "m")
        for (index, text) in replies.enumerated() {
            guard let result = assembly.take(try read(text)) else { continue }
            #expect(index == replies.count - 1)
            return result
        }
        return nil
    }

    private func isOpen(_ replies: [String]) throws -> Bool {
        if case .none = try outcome(replies) { true } else { false }
    }

    @Test("a captured reply is read")
    func captured() throws {
        let reply = try read(
            #"""
            {"_msg_id": "3a82f308a446457ca2e305b82c6a6a2e", "_unique_id": "e458d98a09b84aa1a90b201c91256742",
             "ending": true, "failure": null, "result": "demo"}
            """#)
        #expect(reply == ReplyMessage(messageID: "3a82f308a446457ca2e305b82c6a6a2e", content: .result("demo")))
    }

    @Test("a captured failure is read, and becomes the error of its class")
    func capturedFailure() throws {
        let failure = #"""
            {"class": "ValueError", "module": "builtins", "message": "bad 1", "tb": ["Traceback (most recent call last):\n", "ValueError: bad 1\n"], "args": ["bad 1"], "kwargs": {}}
            """#
        let reply = ReplyMessage(
            messageID: "1",
            content: .failure(RPCFailure(className: "ValueError", module: "builtins", message: "bad 1"))
        )
        let body = Envelope.close(["_msg_id": "1", "ending": true, "result": .null, "failure": .string(failure)])
        #expect(try ReplyMessage(body: body) == reply)
        var assembly = ReplyAssembly(method: "m")
        let error = #expect(throws: MessagingError.self) { try assembly.take(reply)?.get() }
        #expect(error?.code == .remote && error?.failure?.className == "ValueError")
    }

    @Test("a written failure has every member, args only where the caller builds the class from them")
    func failureDocument() throws {
        let builtin = RPCFailure(className: "ValueError", module: "builtins", message: "no").document
        #expect(
            builtin == [
                "class": "ValueError", "module": "builtins", "message": "no", "tb": [], "args": ["no"], "kwargs": [:],
            ])
        let own = RPCFailure(className: "NotFound", module: "trove.common.exception", message: "no").document
        #expect(own["args"] == [])
    }

    @Test("a failure survives the wire; the old module name is builtins")
    func failureRoundTrip() throws {
        let failure = RPCFailure(className: "A", module: "b", message: "c \"d\"")
        let sent = ReplyMessage(messageID: "1", content: .failure(failure))
        #expect(try ReplyMessage(body: sent.body(uniqueID: "u")) == sent)
        #expect(RPCFailure(text: #"{"class": "A", "module": "exceptions", "message": ""}"#)?.module == "builtins")
    }

    @Test(
        "dispatcher failures become codes, those of others do not",
        arguments: [
            ("NoSuchMethod", "oslo_messaging.rpc.dispatcher", MessagingError.Code.noSuchMethod),
            ("UnsupportedVersion", "oslo_messaging.rpc.dispatcher", .unsupportedVersion),
            ("NoSuchMethod", "trove.common.exception", .remote),
        ])
    func codes(_ className: String, _ module: String, _ code: MessagingError.Code) {
        var assembly = ReplyAssembly(method: "m")
        let failure = RPCFailure(className: className, module: module, message: "x")
        let reply = ReplyMessage(messageID: "1", content: .failure(failure))
        let error = #expect(throws: MessagingError.self) { try assembly.take(reply)?.get() }
        #expect(error?.code == code)
    }

    @Test("signs of life are skipped, the old two-part form gives its value, an empty failure is none")
    func assembly() throws {
        let sign = #"{"_msg_id": "1", "ending": false, "failure": null, "result": null}"#
        let value = #"{"_msg_id": "1", "ending": false, "failure": null, "result": 7}"#
        let end = #"{"_msg_id": "1", "ending": true, "failure": null, "result": null}"#
        #expect(try outcome([sign, sign, end])?.get() == .null)
        #expect(try outcome([value, end])?.get() == 7)
        #expect(try outcome([#"{"_msg_id": "1", "ending": true, "failure": "", "result": 8}"#])?.get() == 8)
        #expect(try isOpen([sign]))
        #expect(try isOpen([#"{"_msg_id": "1", "failure": null, "result": 8}"#]))
    }

    @Test(
        "a reply that breaks the format fails its call",
        arguments: [
            #"{"_msg_id": "1", "ending": true, "result": 1}"#,
            #"{"_msg_id": "1", "ending": true, "result": 1, "failure": {}}"#,
            #"{"_msg_id": "1", "ending": true, "result": 1, "failure": "text"}"#,
        ])
    func malformed(_ text: String) throws {
        let error = #expect(throws: MessagingError.self) { try outcome([text])?.get() }
        #expect(error?.code == .badMessage)
    }

    @Test("a reply without a message id cannot be read")
    func nobody() {
        let error = #expect(throws: MessagingError.self) { try read(#"{"ending": true}"#) }
        #expect(error?.code == .badMessage)
    }
}
