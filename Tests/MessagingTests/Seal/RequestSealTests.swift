// SPDX-License-Identifier: Apache-2.0

import Model
import TestSupport
import Testing

@testable import Messaging

/// A control plane's keys.
struct KeyringFixture: RPCKeyring {
    var keys: [String: RPCKey] = [:]
    var isAway = false
    var ownLabel: String? { nil }

    func isLabelled(_ topic: String) -> Bool { topic == "trove-conductor" }

    func key(topic: String) async throws(MessagingError) -> RPCKey? {
        guard topic.hasPrefix("guestagent.") else { return nil }
        return try await key(label: String(topic.dropFirst(11).prefix { $0 != "." }))
    }

    func key(label: String) async throws(MessagingError) -> RPCKey? {
        if isAway { throw MessagingError(.unavailable, "the state store is away") }
        return keys[label]
    }
}

@Suite("RequestSeal")
struct RequestSealTests {
    static let id = "6d1e5b6a-2f5c-4a0e-9a53-0d6c2c7d9f10"
    static let other = "6d1e5b6a-2f5c-4a0e-9a53-0d6c2c7d9f11"
    static let topic = "guestagent.\(id)"
    let key: RPCKey
    let control: KeyringFixture
    let guest: StaticKeyring

    init() throws {
        key = try RPCKey(Secret(SealCipherTests.passphrase))
        control = KeyringFixture(keys: [Self.id: key, Self.other: try RPCKey.make()])
        guest = StaticKeyring(instanceID: Self.id, key: key, topic: Self.topic, labelledTopic: "trove-conductor")
    }

    private func open(
        _ keyring: any RPCKeyring, _ body: [UInt8], on topic: String
    ) async throws -> (message: RequestMessage, key: RPCKey?) {
        try await keyring.open(body, topic: topic, requestID: "req-made")
    }

    private func message(_ arguments: [String: JSONValue] = ["a": 1, "n": .null]) -> RequestMessage {
        RequestMessage(
            method: "m", arguments: arguments, version: "1.2", context: .test, uniqueID: "u", messageID: "m1",
            replyQueue: "reply_1")
    }

    private func changed(
        _ body: [UInt8], _ change: (inout [String: JSONValue]) -> Void
    ) throws -> [UInt8] {
        var members = try Envelope.open(body)
        change(&members)
        return Envelope.close(members)
    }

    @Test("a labelled heartbeat that the reference service's serializer made is read")
    func labelledVector() async throws {
        let opened = try await open(control, Array(SealedRequests.heartbeat.utf8), on: "trove-conductor")
        #expect(opened.message.method == "heartbeat" && opened.message.fault == nil)
        #expect(
            opened.message.arguments == [
                "instance_id": .string(Self.id), "payload": ["service_status": "healthy"], "sent": 1764400000.25,
            ])
        #expect(opened.message.context.requestID == "req-11111111-2222-4333-8444-555555555555")
        #expect(opened.key?.secret == key.secret)
    }

    @Test("a call that the reference service's serializer made is read, and so is its reply")
    func plainVector() async throws {
        let opened = try await open(guest, Array(SealedRequests.listUsers.utf8), on: Self.topic)
        #expect(opened.message.arguments == ["limit": .null, "marker": "é%", "include_marker": false])
        #expect(opened.message.messageID == "7e38003c28404a3cabd8e6c415f1d5a5" && opened.message.fault == nil)
        let reply = try ReplyMessage(body: Array(SealedRequests.reply.utf8)).opened(with: key)
        #expect(reply.content == .result([[["_name": "u1"]], .null]))
    }

    @Test("requests keep their members through the seal; nothing of them is in clear but where they go")
    func roundTrip() async throws {
        let secret = message(["users": [["_name": "annabel", "_password": "hunter2"]]])
        let (body, replyKey) = try await control.seal(secret, topic: Self.topic)
        let text = String(decoding: body, as: UTF8.self)
        #expect(!text.contains("annabel") && !text.contains("hunter2") && !text.contains("p1") && replyKey != nil)
        let members = try Envelope.open(body)
        #expect(members.keys.filter { $0.hasPrefix("_context_") } == ["_context_context"])
        #expect(members["method"] == "m" && members["_reply_q"] == "reply_1" && members["_timeout"] == .null)
        let opened = try await open(guest, body, on: Self.topic).message
        #expect(opened.arguments == secret.arguments && opened.context == secret.context && opened.version == "1.2")
        let report = message(["instance_id": .string(Self.id)])
        let sent = try await guest.seal(report, topic: "trove-conductor").body
        #expect(try Envelope.open(sent)["_context_csz-instance-id"] == .string(Self.id))
        #expect(try await open(control, sent, on: "trove-conductor").message.arguments == report.arguments)
    }

    @Test("topics without a key stay plain")
    func plain() async throws {
        let (body, key) = try await control.seal(message(), topic: "taskmanager")
        #expect(body == message().body && key == nil)
        #expect(try await open(control, body, on: "taskmanager").message.arguments == message().arguments)
        let old = message(["instance_id": "an-instance-without-key"])
        #expect(try await open(control, old.body, on: "trove-conductor").message.fault == nil)
    }

    @Test("a plain request where there is a key is refused, and one for an instance that has a key")
    func refused() async throws {
        let call = try await open(guest, message().body, on: Self.topic)
        #expect(call.message.fault?.message.contains("not sealed") == true && call.key == nil)
        let report = message(["instance_id": .string(Self.other)])
        #expect(try await open(control, report.body, on: "trove-conductor").message.fault != nil)
        let fault = message(["serialized_notification": ["instance_id": .string(Self.other)]])
        #expect(try await open(control, fault.body, on: "trove-conductor").message.fault != nil)
    }

    @Test("a request under a wrong key, a wrong label or for another instance does not open")
    func foreign() async throws {
        let wrong = StaticKeyring(
            instanceID: Self.id, key: try RPCKey.make(), topic: Self.topic, labelledTopic: "trove-conductor")
        let report = message(["instance_id": .string(Self.id)])
        let forged = try await wrong.seal(report, topic: "trove-conductor").body
        await #expect(throws: MessagingError.self) { try await open(control, forged, on: "trove-conductor") }
        let about = try await guest.seal(message(["instance_id": .string(Self.other)]), topic: "trove-conductor").body
        await #expect(throws: MessagingError.self) { try await open(control, about, on: "trove-conductor") }
        let own = try await guest.seal(report, topic: "trove-conductor").body
        let relabelled = try changed(own) { $0["_context_csz-instance-id"] = .string(Self.other) }
        await #expect(throws: MessagingError.self) { try await open(control, relabelled, on: "trove-conductor") }
        let nobody = try changed(own) { $0["_context_csz-instance-id"] = nil }
        await #expect(throws: MessagingError.self) { try await open(control, nobody, on: "trove-conductor") }
        await #expect(throws: MessagingError.self) { try await open(control, own, on: "taskmanager") }
    }

    @Test("a sealed request cannot be sent again under another id or as another method")
    func bound() async throws {
        let body = try await control.seal(message(), topic: Self.topic).body
        for (name, value) in [("_unique_id", "v"), ("method", "delete_user")] {
            let replayed = try changed(body) { $0[name] = .string(value) }
            await #expect(throws: MessagingError.self) { try await open(guest, replayed, on: Self.topic) }
        }
        let mixed = try changed(body) { $0["args"] = ["a": 1] }
        await #expect(throws: MessagingError.self) { try await open(guest, mixed, on: Self.topic) }
    }

    @Test("without the keys nothing is sent in clear")
    func away() async throws {
        var keyring = control
        keyring.isAway = true
        await #expect(throws: MessagingError.self) { try await keyring.seal(message(), topic: Self.topic) }
    }

    @Test("results are sealed, failures and signs of life are not; a result that does not open is malformed")
    func replies() throws {
        let result = ReplyMessage(messageID: "m1", content: .result(["x": 1]))
        let sealed = try result.sealed(with: key)
        #expect(sealed != result && sealed.opened(with: key) == result)
        let sign = ReplyMessage(messageID: "m1", content: .result(.null), isEnding: false)
        #expect(try sign.sealed(with: key) == sign && sign.opened(with: key) == sign)
        let failure = ReplyMessage(
            messageID: "m1", content: .failure(RPCFailure(className: "C", module: "m", message: "x")))
        #expect(try failure.sealed(with: key) == failure && failure.opened(with: key) == failure)
        for reply in [result, try result.sealed(with: RPCKey.make())] {
            guard case .malformed = reply.opened(with: key).content else {
                Issue.record("a reply that does not open was taken")
                return
            }
        }
    }
}
