// SPDX-License-Identifier: Apache-2.0

import Messaging
import Model
import Testing

@Suite("RequestMessage")
struct RequestMessageTests {
    private func read(_ text: String) throws -> RequestMessage {
        try RequestMessage(body: Array(text.utf8), requestID: "req-made")
    }

    @Test("a captured call is read")
    func capturedCall() throws {
        let message = try read(
            #"""
            {"_context_is_admin": true, "_context_user": "u1", "_msg_id": "7285f0ee8aa24874984abbdf92f63723",
             "_reply_q": "reply_2cf93234eaef4b2d94e76337bca4b31d", "_timeout": null,
             "_unique_id": "6f8e592a444e48be90edab0c745fcd6d", "args": {"a": 1, "t": "\u00e9"}, "method": "echo",
             "version": "1.0"}
            """#)
        #expect(message.method == "echo")
        #expect(message.arguments == ["a": 1, "t": "é"])
        #expect(message.version == "1.0")
        #expect(message.messageID == "7285f0ee8aa24874984abbdf92f63723")
        #expect(message.replyQueue == "reply_2cf93234eaef4b2d94e76337bca4b31d")
        #expect(message.uniqueID == "6f8e592a444e48be90edab0c745fcd6d")
        #expect(message.monitorSeconds == nil)
        #expect(message.context == RequestContext(requestID: "req-made", userID: "u1", isAdmin: true))
        #expect(message.fault == nil)
    }

    @Test("a request keeps its members through the wire")
    func roundTrip() throws {
        let sent = RequestMessage(
            method: "m", arguments: ["n": .null, "i": 1, "d": 1.0], version: "1.2", context: .test, uniqueID: "u",
            messageID: "m1", replyQueue: "reply_1", monitorSeconds: 4
        )
        let read = try RequestMessage(body: sent.body, requestID: "other")
        #expect(read.method == "m")
        #expect(read.arguments == ["n": JSONValue.null, "i": 1, "d": 1.0])
        #expect(read.version == "1.2")
        #expect(read.context == .test)
        #expect(read.uniqueID == "u" && read.messageID == "m1" && read.replyQueue == "reply_1")
        #expect(read.monitorSeconds == 4)
    }

    @Test("a call has the members of the rabbit driver, a cast has none of the reply's")
    func members() throws {
        var message = RequestMessage(
            method: "m", arguments: [:], version: "1.0", context: .test, uniqueID: "u", messageID: "m1",
            replyQueue: "reply_1"
        )
        let call = try Envelope.open(message.body)
        #expect(call["_timeout"] == .null && call["_msg_id"] == "m1" && call["_reply_q"] == "reply_1")
        #expect(call["_context_request_id"] == "req-1" && call["_context_project_id"] == "p1")
        #expect(call["_context_roles"] == ["member"] && call["_context_is_admin"] == true)
        message.messageID = nil
        let cast = try Envelope.open(message.body)
        #expect(cast["_msg_id"] == nil && cast["_reply_q"] == nil && cast["_timeout"] == nil)
        #expect(cast["args"] == [:] && cast["version"] == "1.0" && cast["_unique_id"] == "u")
    }

    @Test("a request without id, timeout, version, context and args is complete")
    func minimal() throws {
        let message = try read(#"{"method": "x"}"#)
        #expect(message.fault == nil && message.version == "1.0" && message.arguments.isEmpty)
        #expect(message.messageID == nil && message.uniqueID == nil)
        #expect(message.context == RequestContext(requestID: "req-made"))
    }

    @Test("a null message id makes a cast")
    func nullMessageID() throws {
        #expect(try read(#"{"method": "x", "_msg_id": null}"#).messageID == nil)
    }

    @Test(
        "what a server must answer with a failure is read with it",
        arguments: [
            (#"{"method": "x", "args": null}"#, "AttributeError"), (#"{"method": "x", "args": []}"#, "AttributeError"),
            (#"{"method": "x", "version": 1}"#, "UnsupportedVersion"),
            (#"{"method": "x", "version": "1"}"#, "UnsupportedVersion"),
            (#"{"method": "x", "namespace": ""}"#, "UnsupportedVersion"),
        ])
    func faults(_ body: String, _ className: String) throws {
        #expect(try read(body).fault?.className == className)
    }

    @Test("a null namespace is none")
    func namespace() throws {
        #expect(try read(#"{"method": "x", "namespace": null}"#).fault == nil)
    }

    @Test("a request without a method cannot be read", arguments: [#"{"args": {}}"#, #"{"method": 1}"#])
    func noMethod(_ body: String) {
        let error = #expect(throws: MessagingError.self) { try read(body) }
        #expect(error?.code == .badMessage)
    }

    @Test("context values of other names and types are taken as far as they make sense")
    func contextVariants() throws {
        let message = try read(
            #"{"method": "x", "_context_user_id": "u", "_context_project": "p", "_context_roles": ["a", 1], "_context_is_admin": "yes", "_context_request_id": ""}"#
        )
        #expect(message.context == RequestContext(requestID: "req-made", userID: "u", projectID: "p", roles: ["a"]))
    }
}
