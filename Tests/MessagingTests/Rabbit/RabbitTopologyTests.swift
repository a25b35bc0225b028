// SPDX-License-Identifier: Apache-2.0

import Logging
import Messaging
import Model
import TestSupport
import Testing

@Suite("RabbitBus and its queues", .timeLimit(.minutes(5)))
struct RabbitTopologyTests {
    private let nothing = ClosureEndpoint { _ in .null }

    @Test("a server has three queues; a clean end removes the fanout queue and leaves the others")
    func queues() async throws {
        try await withRabbit { rabbit in
            let topic = rabbit.topic("t")
            let server = rabbit.client("server")
            try await server.serve(topic: topic, server: "s", endpoint: nothing)
            let made = try rabbit.broker.queues().filter { $0.key.hasPrefix(topic) }
            #expect(Set(made.keys).isSuperset(of: [topic, topic + ".s"]) && made.count == 3)
            let fanout = try #require(made.first { $0.key.hasPrefix(topic + "_fanout_") })
            #expect(fanout.value["arguments"]?["x-expires"] == 1_800_000)
            #expect(made.values.allSatisfy { $0["durable"] == false && $0["exclusive"] == false })
            await server.close()
            let left = try rabbit.broker.queues().keys.filter { $0.hasPrefix(topic) }
            #expect(left.sorted() == [topic, topic + ".s"])
        }
    }

    @Test("the switches decide what is durable, replicated or a stream")
    func switches() async throws {
        try await withRabbit { rabbit in
            let topic = rabbit.topic("q")
            let server = rabbit.client("server") { configuration in
                configuration.exchange += "-quorum"
                configuration.isQuorum = true
                configuration.isStreamFanout = true
            }
            let seen = Recorder<String>()
            try await server.serve(
                topic: topic, server: "s",
                endpoint: ClosureEndpoint { request in
                    seen.append(request.method)
                    return .null
                })
            let client = rabbit.client("client") { configuration in
                configuration.exchange += "-quorum"
                configuration.isQuorum = true
                configuration.isStreamFanout = true
            }
            #expect(try await client.ask(topic, "call") == .null)
            try await client.castToAll(topic, "all", [:], context: .test, version: "1.0")
            #expect(await seen.wait(for: 2) == ["call", "all"])
            let made = try rabbit.broker.queues()
            #expect(made[topic]?["arguments"]?["x-queue-type"] == "quorum" && made[topic]?["durable"] == true)
            #expect(made[topic + "_fanout"]?["arguments"]?["x-queue-type"] == "stream")
        }
    }

    @Test("an exchange or a queue with other properties is an error that names it and the switches")
    func mismatch() async throws {
        try await withRabbit { rabbit in
            let topic = rabbit.topic("t")
            try await rabbit.client("server").serve(topic: topic, server: "s", endpoint: nothing)
            let other = rabbit.client("other", .init(patience: .seconds(1))) { $0.isDurable = true }
            let cast = await #expect(throws: MessagingError.self) { try await other.tell(topic, "m") }
            #expect(cast?.message.contains("exchange 'x-\(rabbit.mark)'") == true, "\(cast?.message ?? "")")
            #expect(cast?.message.contains("durable, quorum and auto_delete") == true && !other.isConnected)
            try rabbit.broker.manage(
                "PUT", "queues/trove/\(rabbit.topic("u"))", ["durable": true, "auto_delete": false, "arguments": [:]])
            let served = await #expect(throws: MessagingError.self) {
                try await rabbit.client("third").serve(topic: rabbit.topic("u"), server: "s", endpoint: nothing)
            }
            #expect(served?.code == .unavailable && served?.message.contains("queue '\(rabbit.topic("u"))'") == true)
        }
    }

    @Test("a restricted server, which writes to the guests' exchange alone, answers a control plane that listens there")
    func restricted() async throws {
        try await withRabbit(nil, { $0.guestExchange = $0.exchange + "-guests" }) { rabbit in
            let topic = rabbit.topic("t")
            let client = rabbit.client("control")
            try await client.declare(topic: topic, server: "s")
            let guest = rabbit.client("guest") { $0.isRestricted = true }
            try await guest.serve(topic: topic, server: "s", endpoint: ClosureEndpoint { _ in "guest" })
            #expect(try await client.ask(topic, "m") == "guest")
        }
    }

    @Test("a broker account that may write nothing else sends what it may, and learns of the rest")
    func permissions() async throws {
        try await withRabbit(nil, { $0.guestExchange = $0.exchange + "-guests" }) { rabbit in
            let topic = rabbit.topic("t")
            let (allowed, other) = (rabbit.topic("allowed"), rabbit.topic("other"))
            let control = rabbit.client("control") { $0.guestTopics = [allowed, other] }
            for topic in [allowed, other] {
                try await control.serve(topic: topic, server: "s", endpoint: ClosureEndpoint { _ in .null })
            }
            try await control.declare(topic: topic, server: "s")
            let user = try makeGuest(rabbit, topic, allowed)
            let guest = rabbit.client("guest") { configuration in
                configuration.isRestricted = true
                configuration.url.user = user
                configuration.password = Secret("pw-of-the-test")
            }
            try await guest.serve(topic: topic, server: "s", endpoint: ClosureEndpoint { _ in "guest" })
            #expect(try await control.ask(topic, "m") == "guest")
            try await guest.tell(allowed, "m")
            let error = await #expect(throws: MessagingError.self) { try await guest.tell(other, "m") }
            #expect(error?.code == .unavailable && error?.message.contains("403") == true, "\(error?.message ?? "")")
            #expect(error?.message.contains("pw-of-the-test") == false)
            try await guest.tell(allowed, "m")
        }
    }

    /// An account for a guest's own queues, which may send to one topic.
    private func makeGuest(_ rabbit: RabbitFixture, _ topic: String, _ allowed: String) throws -> String {
        let (exchange, user) = (rabbit.configuration.exchange, "guest-\(rabbit.mark)")
        let own = "\(topic)(_fanout.*|\\.s)?"
        let broker = rabbit.broker
        try broker.manage("PUT", "users/\(user)", ["password": "pw-of-the-test", "tags": ""])
        try broker.manage(
            "PUT", "permissions/trove/\(user)",
            [
                "configure": .string("^\(own)$"), "write": .string("^(\(exchange)-guests|\(own))$"),
                "read": .string("^(\(exchange)|\(own))$"),
            ])
        try broker.manage(
            "PUT", "topic-permissions/trove/\(user)",
            [
                "exchange": .string(exchange + "-guests"), "read": "^$",
                "write": .string("^(\(allowed)|reply_[0-9a-f]{32})$"),
            ])
        return user
    }
}
