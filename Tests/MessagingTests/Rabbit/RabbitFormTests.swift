// SPDX-License-Identifier: Apache-2.0

import Logging
import Messaging
import Model
import TestSupport
import Testing

@Suite("RabbitBus and malformed messages", .timeLimit(.minutes(5)))
struct RabbitFormTests {
    private static let json: JSONValue = ["content_type": "application/json"]

    @Test("messages in a wrong form are dropped with a warning that names the topic; what follows is served")
    func malformed() async throws {
        try await withRabbit { rabbit in
            let topic = rabbit.topic("t")
            let seen = Recorder<String>()
            let lines = Recorder<String>()
            let server = rabbit.client("server", logger: Logger(label: "test") { _ in RecordingLog(lines) })
            try await server.serve(
                topic: topic, server: "s",
                endpoint: ClosureEndpoint { request in
                    seen.append(request.method)
                    return .null
                })
            let whole = #"{"method": "lost", "args": {}}"#
            let wrapped: (String, String) -> String = { version, message in
                JSONValue.object(["oslo.version": .string(version), "oslo.message": .string(message)]).text
            }
            let bad: [(String, JSONValue)] = [
                (whole, [:]), (whole, ["content_type": "text/plain"]),
                (whole, ["content_type": "application/json; charset=utf-8"]), ("not json", Self.json),
                (wrapped("3.0", whole), Self.json), (#"{"oslo.version": "2.0", "oslo.message": {}}"#, Self.json),
                ("{}", Self.json),
                (whole, ["content_type": "application/json", "headers": ["compression": "application/x-gzip"]]),
            ]
            for (payload, properties) in bad {
                #expect(try rabbit.broker.publish(rabbit.configuration.exchange, topic, payload, properties))
            }
            let bare = #"{"method": "bare"}"#
            let odd: [(String, JSONValue)] = [
                (bare, Self.json),
                (wrapped("2.0", bare), ["content_type": "application/json", "content_encoding": "binary"]),
            ]
            for (payload, properties) in odd {
                #expect(try rabbit.broker.publish(rabbit.configuration.exchange, topic, payload, properties))
            }
            #expect(await seen.wait(for: 2) == ["bare", "bare"])
            let dropped = lines.values.filter { $0.contains("message dropped") && $0.contains(topic) }
            #expect(dropped.count == bad.count)
            #expect(try rabbit.broker.take(topic).isEmpty)
        }
    }

    @Test("an unknown method, a wrong version and a private method are answered with the dispatcher's failures")
    func refused() async throws {
        try await withRabbit { rabbit in
            let topic = rabbit.topic("t")
            try await rabbit.client("server").serve(
                topic: topic, server: "s",
                endpoint: ClosureEndpoint { request in throw RPCFault.noSuchMethod(request.method) })
            let client = rabbit.client("client")
            let method = await #expect(throws: MessagingError.self) { try await client.ask(topic, "absent") }
            let own = await #expect(throws: MessagingError.self) { try await client.ask(topic, "_private") }
            let version = await #expect(throws: MessagingError.self) {
                try await client.ask(topic, "m", version: "99.0")
            }
            #expect(method?.code == .noSuchMethod && own?.code == .noSuchMethod)
            #expect(version?.code == .unsupportedVersion)
        }
    }

    @Test("a request that comes twice under one unique id is run once")
    func replay() async throws {
        try await withRabbit { rabbit in
            let topic = rabbit.topic("t")
            let seen = Recorder<String>()
            try await rabbit.client("server").serve(
                topic: topic, server: "s",
                endpoint: ClosureEndpoint { request in
                    seen.append(request.method)
                    return .null
                })
            for (method, id) in [("once", "a"), ("once", "a"), ("last", "b")] {
                let payload = #"{"method": "\#(method)", "_unique_id": "\#(id)"}"#
                #expect(try rabbit.broker.publish(rabbit.configuration.exchange, topic, payload, Self.json))
            }
            _ = await seen.wait(for: 2)
            #expect(seen.values.sorted() == ["last", "once"])
        }
    }

    @Test("requests, casts and replies have the properties of the wire contract, and a call expires with its caller")
    func properties() async throws {
        try await withRabbit { rabbit in
            let topic = rabbit.topic("t")
            let client = rabbit.client("client")
            try await client.declare(topic: topic, server: "s")
            try await client.tell(topic, "cast", ["a": "é"])
            let call = Task { try? await client.ask(topic, "call", timeout: .seconds(20)) }
            var messages: [JSONValue] = []
            try await until {
                messages += try rabbit.broker.take(topic)
                return messages.count == 2
            }
            call.cancel()
            let properties = messages.map { $0["properties"] ?? .null }
            for item in properties {
                #expect(item["content_type"] == "application/json" && item["content_encoding"] == "utf-8")
                #expect(item["delivery_mode"] == 2 && item["priority"] == 0 && item["headers"] == [:])
                #expect(item["message_id"] == nil && item["reply_to"] == nil && item["correlation_id"] == nil)
            }
            #expect(properties[0]["expiration"] == nil)
            let left = Int(properties[1]["expiration"]?.stringValue ?? "") ?? 0
            #expect((15_000...20_000).contains(left))
            let body = try JSONValue(parsing: messages[1]["payload"]?.stringValue ?? "")
            #expect(body["oslo.version"] == "2.0")
            let request = try JSONValue(parsing: body["oslo.message"]?.stringValue ?? "")
            #expect(request["_reply_q"]?.stringValue?.hasPrefix("reply_") == true && request["_timeout"] == .null)
            #expect(
                request["_msg_id"]?.stringValue?.utf8.count == 32
                    && request["_unique_id"]?.stringValue?.utf8.count == 32)
        }
    }

    @Test("a notification waits in its queue as it was given, with a unique id")
    func notification() async throws {
        try await withRabbit { rabbit in
            let topic = rabbit.topic("n")
            let client = rabbit.client("client")
            let notified: [String: JSONValue] = ["event_type": "e", "priority": "INFO"]
            try await client.notify(topic, priority: "INFO", message: notified)
            try rabbit.broker.manage("DELETE", "queues/trove/\(topic).info")
            try await client.notify(topic, priority: "INFO", message: notified)
            let message = try #require(try rabbit.broker.take(topic + ".info").first)
            let body = try JSONValue(parsing: message["payload"]?.stringValue ?? "")
            let inner = try JSONValue(parsing: body["oslo.message"]?.stringValue ?? "")
            #expect(inner["event_type"] == "e" && inner["_unique_id"]?.stringValue?.utf8.count == 32)
        }
    }
}
