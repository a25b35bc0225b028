// SPDX-License-Identifier: Apache-2.0

import Messaging
import Model
import TestSupport
import Testing

@Suite("RabbitBus and oslo.messaging", .enabled(if: Peer.isThere), .timeLimit(.minutes(10)))
struct RabbitPeerTests {
    /// A form that both ends are put into.
    enum Form: String, CaseIterable, Sendable, CustomTestStringConvertible {
        case classic, durable, autoDelete, quorum, stream, sealed

        var testDescription: String { rawValue }

        static let passphrase = "Zk3vQ9sT1uWxYz0aBcDeFgHiJkLmNoPq"

        func apply(_ configuration: inout RabbitConfiguration) {
            configuration.isDurable = self == .durable
            configuration.isAutoDelete = self == .autoDelete
            configuration.isQuorum = self == .quorum || self == .stream
            configuration.isTransientQuorum = self == .quorum || self == .stream
            configuration.isStreamFanout = self == .stream
        }

        var options: [String] {
            switch self {
            case .classic, .sealed: []
            case .durable: ["amqp_durable_queues=true"]
            case .autoDelete: ["amqp_auto_delete=true"]
            case .quorum: ["rabbit_quorum_queue=true", "rabbit_transient_quorum_queue=true"]
            case .stream:
                [
                    "rabbit_quorum_queue=true", "rabbit_transient_quorum_queue=true", "rabbit_stream_fanout=true",
                    "rabbit_qos_prefetch_count=10",
                ]
            }
        }

        var arguments: [String] { self == .sealed ? ["--secure-key", Self.passphrase] : [] }

        func keyring(_ topic: String) throws -> (any RPCKeyring)? {
            guard self == .sealed else { return nil }
            return StaticKeyring(
                instanceID: "s", key: try RPCKey(Secret(Self.passphrase)), topic: topic, labelledTopic: "conductor")
        }
    }

    @Test("its client suite passes against our server", arguments: Form.allCases)
    func serves(form: Form) async throws {
        try await withRabbit(nil, { form.apply(&$0) }) { rabbit in
            let topic = rabbit.topic("peer")
            let server = rabbit.client("server", keyring: try form.keyring(topic))
            try await server.serve(topic: topic, server: "ours", endpoint: PeerEndpoint(server: "ours"))
            let peer = try Peer(
                rabbit, options: form.options,
                ["client", "suite", "--topic", topic, "--timeout", "30"] + form.arguments)
            let lines = await peer.lines()
            let checks = lines.filter { $0["check"] != nil }
            for check in checks where check["passed"] != true { Issue.record("\(check.text)") }
            #expect(checks.count >= 32 && lines.last?["failures"] == 0)
        }
    }

    @Test("our client is served by its server", arguments: Form.allCases)
    func calls(form: Form) async throws {
        try await withRabbit(nil, { form.apply(&$0) }) { rabbit in
            let topic = rabbit.topic("peer")
            let peer = try Peer(
                rabbit, options: form.options, ["server", "--topic", topic, "--server", "theirs"] + form.arguments)
            await peer.wait(for: "ready")
            let client = rabbit.client("client", keyring: try form.keyring(topic))
            let arguments: [String: JSONValue] = [
                "s": "\u{4e16}\u{754c} \"q\" \\ \n", "n": .null, "f": 0.25, "i": .int(1 << 40), "l": [1, ["x": []]],
                "b": false,
            ]
            let echo = try await client.ask(topic, "echo", arguments, timeout: .seconds(30))
            #expect(echo["args"] == .object(arguments))
            #expect(echo["context"]?["request_id"] == "req-1" && echo["context"]?["is_admin"] == true)
            #expect(try await client.ask(topic, "none", timeout: .seconds(30)) == .null)
            #expect(try await client.ask(topic + (form == .sealed ? "" : ".theirs"), "whoami") == "theirs")
            let big = try await client.ask(topic, "big", ["size": 700_000], timeout: .seconds(30))
            #expect(big.stringValue?.utf8.count == 700_000)
            try await checkFailures(client, topic)
            try await client.tell(topic, "note", ["tag": "one"])
            try await client.castToAll(topic, "note", ["tag": "all"], context: .test, version: "1.0")
            var notes: JSONValue = .null
            for _ in 0..<100 where notes.arrayValue?.count != 2 {
                try await Task.sleep(for: .milliseconds(100))
                notes = try await client.ask(topic, "notes", timeout: .seconds(30))
            }
            #expect(Set(notes.arrayValue ?? []) == ["one", "all"])
            peer.stop()
        }
    }

    private func checkFailures(_ client: RabbitBus, _ topic: String) async throws {
        let value = await #expect(throws: MessagingError.self) {
            try await client.ask(topic, "raise_value", ["message": "bad 1"])
        }
        #expect(value?.failure == RPCFailure(className: "ValueError", module: "builtins", message: "bad 1"))
        let absent = await #expect(throws: MessagingError.self) { try await client.ask(topic, "absent") }
        #expect(absent?.code == .noSuchMethod)
        let version = await #expect(throws: MessagingError.self) {
            try await client.ask(topic, "none", version: "99.0")
        }
        #expect(version?.code == .unsupportedVersion)
        let slow = await #expect(throws: MessagingError.self) {
            try await client.ask(topic, "slow", ["seconds": 2], timeout: .milliseconds(500))
        }
        #expect(slow?.code == .timedOut)
    }

    @Test("its listener reads our notifications")
    func notifies() async throws {
        try await withRabbit { rabbit in
            let topic = rabbit.topic("notifications")
            let peer = try Peer(rabbit, ["listen", "--topic", topic, "--count", "1", "--lifetime", "60"])
            await peer.wait(for: "listening")
            try await rabbit.client("client").notify(
                topic, priority: "INFO",
                message: [
                    "message_id": "m", "publisher_id": "p", "event_type": "e", "priority": "INFO", "payload": ["a": 1],
                    "timestamp": "2026-01-01 00:00:00.000000",
                ])
            let lines = await peer.lines()
            let notification = lines.first { $0["event"] == "notification" }
            #expect(notification?["event_type"] == "e" && notification?["payload"] == ["a": 1])
        }
    }
}
