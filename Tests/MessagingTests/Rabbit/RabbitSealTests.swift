// SPDX-License-Identifier: Apache-2.0

import Logging
import Messaging
import Model
import TestSupport
import Testing

@Suite("RabbitBus and sealed requests", .timeLimit(.minutes(5)))
struct RabbitSealTests {
    private func keyring(_ topic: String, _ passphrase: String = "right") throws -> StaticKeyring {
        StaticKeyring(instanceID: "s", key: try RPCKey(Secret(passphrase)), topic: topic, labelledTopic: "conductor")
    }

    @Test("a request under another key is dropped with a warning that names the topic; nothing of it is in clear")
    func wrongKey() async throws {
        try await withRabbit { rabbit in
            let topic = rabbit.topic("t")
            let (seen, lines) = (Recorder<String>(), Recorder<String>())
            let logger = Logger(label: "test") { _ in RecordingLog(lines) }
            try await rabbit.client("server", logger: logger, keyring: try keyring(topic)).serve(
                topic: topic, server: "s",
                endpoint: ClosureEndpoint { request in
                    seen.append(request.method)
                    return "sealed"
                })
            let stranger = rabbit.client("stranger", keyring: try keyring(topic, "wrong"))
            let error = await #expect(throws: MessagingError.self) {
                try await stranger.ask(topic, "strange", ["a": "secret-word"], timeout: .seconds(1))
            }
            #expect(error?.code == .timedOut)
            try await until { lines.values.contains { $0.contains("message dropped") && $0.contains(topic) } }
            let friend = rabbit.client("friend", keyring: try keyring(topic))
            #expect(try await friend.ask(topic, "known", ["a": "secret-word"]) == "sealed")
            #expect(seen.values == ["known"] && !lines.values.contains { $0.contains("secret-word") })
        }
    }

    @Test("a sealed request that somebody repeats is dropped with a warning that names the topic")
    func replay() async throws {
        try await withRabbit { rabbit in
            let topic = rabbit.topic("t")
            let client = rabbit.client("client", keyring: try keyring(topic))
            try await client.declare(topic: topic, server: "s")
            try await client.tell(topic, "once", ["a": "secret-word"])
            let payload = try #require(try rabbit.broker.take(topic).first?["payload"]?.stringValue)
            #expect(!payload.contains("secret-word"))
            let (seen, lines) = (Recorder<String>(), Recorder<String>())
            let logger = Logger(label: "test") { _ in RecordingLog(lines) }
            try await rabbit.client("server", logger: logger, keyring: try keyring(topic)).serve(
                topic: topic, server: "s",
                endpoint: ClosureEndpoint { request in
                    seen.append(request.method)
                    return .null
                })
            for _ in 0..<2 {
                let properties: JSONValue = ["content_type": "application/json"]
                _ = try rabbit.broker.publish(rabbit.configuration.exchange, topic, payload, properties)
            }
            try await until {
                lines.values.contains { $0.contains("warning: repeated message dropped") && $0.contains(topic) }
            }
            #expect(seen.values == ["once"])
        }
    }
}
