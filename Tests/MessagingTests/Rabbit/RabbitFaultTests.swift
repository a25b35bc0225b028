// SPDX-License-Identifier: Apache-2.0

import Logging
import Messaging
import Model
import TestSupport
import Testing

@Suite("RabbitBus through faults, Serial", .serialized, .timeLimit(.minutes(10)))
struct RabbitFaultTests {
    /// Nodes of this suite alone, since it stops them.
    private static let nodes = Result { try Nodes([.rabbitmq]) }

    /// A server whose `slow` waits for the gate.
    private func serve(
        _ rabbit: RabbitFixture, _ topic: String, _ started: Recorder<String>, _ gate: Recorder<Bool>
    ) async throws {
        try await rabbit.client("server").serve(
            topic: topic, server: "s",
            endpoint: ClosureEndpoint { request in
                started.append(request.method)
                if request.method == "slow" { _ = await gate.wait(for: 1) }
                return .string(request.method)
            })
    }

    private func withFault(
        _ fault: @escaping (RabbitFixture) async throws -> Void,
        _ change: (inout RabbitConfiguration) -> Void = { _ in }
    ) async throws {
        let nodes = try Self.nodes.get()
        try nodes.heal()
        try await withRabbit(nodes, change) { rabbit in
            let topic = rabbit.topic("t")
            let (started, gate) = (Recorder<String>(), Recorder<Bool>())
            try await serve(rabbit, topic, started, gate)
            let client = rabbit.client("client")
            #expect(try await client.ask(topic, "first") == "first")
            let call = Task { try await client.ask(topic, "slow", timeout: .seconds(120)) }
            _ = await started.wait(for: 2)
            try await fault(rabbit)
            let late = Task { try await client.ask(topic, "late", timeout: .seconds(120)) }
            gate.append(true)
            #expect(try await call.value == "slow")
            #expect(try await late.value == "late")
            #expect(started.values.count == 3, "each request is run once")
            try await until { client.isConnected }
        }
    }

    @Test("a call in progress, and one that follows, survive a restart of the broker that takes the queues along")
    func restart() async throws { try await withFault { try $0.nodes.restart(.rabbitmq) } }

    @Test("a broker that is killed and comes back is used again, with durable queues too", arguments: [false, true])
    func killed(isDurable: Bool) async throws {
        try await withFault {
            try $0.nodes.kill(.rabbitmq)
            try $0.nodes.start(.rabbitmq)
        } _: {
            $0.isDurable = isDurable
            $0.isTransientQuorum = isDurable
        }
    }

    @Test("connections that the broker closes are made again, those of the client and of the server")
    func dropped() async throws {
        try await withFault { rabbit in
            try await until {
                let ours = try rabbit.broker.manage("GET", "connections").arrayValue ?? []
                return ours.count { "\($0["client_properties"]?["connection_name"] ?? "")".contains(rabbit.mark) } >= 4
            }
            #expect(try rabbit.broker.closeConnections("trove client-\(rabbit.mark)") == 2)
            #expect(try rabbit.broker.closeConnections("trove server-\(rabbit.mark)") == 2)
        }
    }

    @Test("queues that somebody deletes are declared again, the reply queue too")
    func deleted() async throws {
        try await withFault { rabbit in
            let mine = try rabbit.broker.queues().keys.filter { $0.contains(rabbit.mark) } + rabbit.replyQueues
            try await until { Set(try rabbit.broker.queues().keys).isSuperset(of: mine) }
            for name in mine { try rabbit.broker.manage("DELETE", "queues/trove/\(name)") }
            try await until { Set(try rabbit.broker.queues().keys).isSuperset(of: mine) }
        }
    }

    @Test("calls and casts made while the broker is away are delivered when it is back; the bus says that it is away")
    func away() async throws {
        let nodes = try Self.nodes.get()
        try nodes.heal()
        try await withRabbit(nodes) { rabbit in
            let topic = rabbit.topic("t")
            let (started, gate) = (Recorder<String>(), Recorder<Bool>())
            try await serve(rabbit, topic, started, gate)
            let client = rabbit.client("client", .init(patience: .seconds(60)))
            #expect(try await client.ask(topic, "first") == "first" && client.isConnected)
            try nodes.stop(.rabbitmq)
            try await until { !client.isConnected }
            let call = Task { try await client.ask(topic, "call", timeout: .seconds(60)) }
            let cast = Task { try await client.tell(topic, "cast") }
            try nodes.start(.rabbitmq)
            #expect(try await call.value == "call")
            try await cast.value
            #expect(Set(await started.wait(for: 3)) == ["first", "call", "cast"])
        }
    }

    @Test("what waits for a broker that does not come gives up in time, and says where the broker should be")
    func absent() async throws {
        var configuration = try RabbitConfiguration(try Self.nodes.get())
        configuration.url.addresses = [.init(host: "127.0.0.1", port: 1), .init(host: "127.0.0.1", port: 2)]
        let bus = RabbitBus(configuration, name: "alone", logger: .quiet, options: .init(patience: .milliseconds(50)))
        let cast = await #expect(throws: MessagingError.self) { try await bus.tell("t", "m") }
        let call = await #expect(throws: MessagingError.self) {
            try await bus.ask("t", "m", timeout: .milliseconds(50))
        }
        try await bus.serve(topic: "t", server: "s", endpoint: ClosureEndpoint { _ in .null })
        #expect(cast?.code == .unavailable && call?.code == .unavailable && !bus.isConnected)
        #expect(cast?.message.contains("127.0.0.1:1, 127.0.0.1:2") == true)
        await bus.close()
    }

    @Test("of several addresses the one that answers is used")
    func addresses() async throws {
        try await withRabbit(try Self.nodes.get()) { rabbit in
            let client = rabbit.client("client") { $0.url.addresses.insert(.init(host: "127.0.0.1", port: 1), at: 0) }
            try await client.declare(topic: rabbit.topic("t"), server: "s")
            #expect(client.isConnected)
        }
    }

    @Test("a wrong password is an error in the log, which does not say it; the bus stays away")
    func wrongPassword() async throws {
        let nodes = try Self.nodes.get()
        try nodes.heal()
        try await withRabbit(nodes) { rabbit in
            let lines = Recorder<String>()
            let logger = Logger(label: "test") { _ in RecordingLog(lines) }
            let bus = rabbit.client("stranger", .init(patience: .seconds(2)), logger: logger) {
                $0.password = Secret("wrong-word")
            }
            let error = await #expect(throws: MessagingError.self) { try await bus.tell("t", "m") }
            #expect(error?.message.contains("refuses the user 'trove'") == true, "\(error?.message ?? "")")
            let said = lines.values.joined(separator: "\n")
            #expect(said.contains("error: bus is away") && said.contains("403"))
            #expect(!said.contains("wrong-word") && error?.message.contains("wrong-word") == false)
        }
    }

    @Test("a broker that is halted does not hold up who gives up or closes")
    func halted() async throws {
        let nodes = try Self.nodes.get()
        try nodes.heal()
        try await withRabbit(nodes) { rabbit in
            let client = rabbit.client("client", .init(patience: .seconds(1)))
            try await client.declare(topic: rabbit.topic("t"), server: "s")
            try nodes.freeze(.rabbitmq)
            let start = ContinuousClock.now
            let error = await #expect(throws: MessagingError.self) { try await client.tell(rabbit.topic("t"), "m") }
            #expect(error?.code == .unavailable)
            await client.close()
            #expect(start.duration(to: .now) < .seconds(12))
            try nodes.thaw(.rabbitmq)
        }
    }

    @Test("a broker without memory is said to take nothing, and is used when it does again")
    func blocked() async throws {
        let nodes = try Self.nodes.get()
        try nodes.heal()
        try await withRabbit(nodes) { rabbit in
            let client = rabbit.client("client", .init(patience: .seconds(2)))
            try await client.declare(topic: rabbit.topic("t"), server: "s")
            try Self.setWatermark(nodes, "0.000001")
            // The first message that a broker does not take is what makes it say so.
            let first = await #expect(throws: MessagingError.self) { try await client.tell(rabbit.topic("t"), "one") }
            #expect(
                first?.message.contains("takes no messages") == true && !client.isConnected, "\(first?.message ?? "")")
            try Self.setWatermark(nodes, "0.8")
            try await until { client.isConnected }
            try await client.tell(rabbit.topic("t"), "two")
        }
    }

    private static func setWatermark(_ nodes: Nodes, _ share: String) throws {
        var environment: [String] = []
        for key in ["HOME", "RABBITMQ_NODENAME", "ERL_EPMD_PORT", "RABBITMQ_CONF_ENV_FILE"] {
            environment.append("\(key)=\(try nodes.text("rabbitmq", "environment", key))")
        }
        _ = try Broker.run(
            "/usr/bin/env",
            environment + ["/usr/lib/rabbitmq/bin/rabbitmqctl", "-q", "set_vm_memory_high_watermark", share])
    }
}
