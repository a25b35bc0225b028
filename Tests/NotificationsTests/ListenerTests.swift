// SPDX-License-Identifier: Apache-2.0

import Logging
import Messaging
import Model
import Notifications
import StateStore
import TestSupport
import Testing

@Suite("Notifications and oslo.messaging", .enabled(if: Listener.isThere), .timeLimit(.minutes(5)))
struct ListenerTests {
    private func bus(_ nodes: Nodes) throws -> (RabbitBus, RabbitConfiguration) {
        let url = "rabbit://trove@\(try nodes.text("rabbitmq", "host")):\(try nodes.port("rabbitmq", "port"))/trove"
        var configuration = RabbitConfiguration(
            url: try RabbitURL(parsing: url), password: Secret(try nodes.password("rabbitmq", "trove")))
        configuration.exchange = "x-\(SystemRandomSource().bytes(4).hex)"
        let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let options = RabbitBus.Options(patience: .seconds(1), drain: .seconds(1))
        return (RabbitBus(configuration, name: "notifier", logger: quiet, options: options), configuration)
    }

    @Test("a listener hears what was committed and what was emitted, with the context, on every topic")
    func hears() async throws {
        let (bus, configuration) = try bus(try Nodes.shared([.rabbitmq]))
        let topics = ["notifications", "billing"].map { "\($0)-\(configuration.exchange)" }
        try await Fixture.withStore { store in
            let log = LogLines()
            let notifier = Notifier.make(
                NotificationConfiguration(driver: .messaging, topics: topics, host: "10.0.0.1"), bus: bus,
                logger: log.logger)
            let traits: [String: JSONValue] = ["name": "gr\u{fc}n", "instance_id": "i-1"]
            let start = notifier.start(Fixture.operation(.backupCreate, traits), by: .api)
            try await store.write(.relaxed) { try notifier.record([start], $0) }
            notifier.committed([start])
            try await OutboxSender(notifier: notifier, store: store, logger: log.logger).sendAll()
            notifier.emit(notifier.end(Fixture.operation(.rootEnable, ["instance_id": "i-1"]), by: .api))
            await notifier.finish(within: .seconds(30))
            // The queues are there, and keep what nobody has read yet.
            for topic in topics {
                let heard = try await Listener(configuration, topic: topic, count: 2).heard()
                #expect(heard.map { $0["event_type"] } == ["dbaas.backup_create.start", "dbaas.root_enable.end"])
                let first = try #require(heard.first)
                #expect(first["payload"] == .object(start.payload))
                #expect(first["publisher_id"] == "api.10.0.0.1")
                #expect(first["priority"] == "info")
                #expect(first["metadata"]?["message_id"] == .string(start.id))
                #expect(first["metadata"]?["timestamp"] == start.members["timestamp"])
                #expect(first["context"]?["user"] == "u-1")
                #expect(first["context"]?["project_id"] == "p-1")
                #expect(first["context"]?["request_id"] == .string(start.context.requestID))
                #expect(first["context"]?["auth_token"] == .null)
            }
            #expect(log.lines.isEmpty)
        }
        await bus.close()
    }

    @Test("what is told while the broker is down is heard when it is back, once and in order")
    func survives() async throws {
        let nodes = try Nodes([.rabbitmq])
        let (bus, configuration) = try bus(nodes)
        let topic = "notifications"
        try await Fixture.withStore { store in
            let notifier = Notifier.make(
                NotificationConfiguration(driver: .messaging, topics: [topic], host: "h"), bus: bus,
                logger: LogLines().logger)
            let sender = OutboxSender(notifier: notifier, store: store, logger: LogLines().logger)
            func tell(_ number: Int) async throws {
                let message = notifier.start(
                    Fixture.operation(.instanceDelete, ["instance_id": .string("\(number)")]), by: .api)
                try await store.write(.relaxed) { try notifier.record([message], $0) }
                notifier.emit(
                    notifier.end(Fixture.operation(.instanceDelete, ["instance_id": .string("\(number)")]), by: .api))
            }
            try nodes.kill(.rabbitmq)
            let started = ContinuousClock.now
            for number in 0..<10 { try await tell(number) }
            #expect(started.duration(to: .now) < .seconds(5), "nobody waits for the broker")
            await #expect(throws: MessagingError.self) { try await sender.sendAll() }
            try nodes.start(.rabbitmq)
            let back = ContinuousClock.now
            var isSent = false
            while !isSent, back.duration(to: .now) < .seconds(30) { isSent = (try? await sender.sendAll()) != nil }
            #expect(isSent)
            await notifier.finish(within: .seconds(30))
            let queued = try await QueuedMessages.peek(nodes, queue: topic + ".info")
            let heard = try await Listener(configuration, topic: topic, count: 20).heard()
            for kind in ["start", "end"] {
                let type = JSONValue.string("dbaas.instance_delete.\(kind)")
                func numbers(_ messages: [JSONValue]) -> [String] {
                    messages.filter { $0["event_type"] == type }.map {
                        $0["payload"]?["instance_id"]?.stringValue ?? ""
                    }
                }
                #expect(numbers(queued) == (0..<10).map(String.init))
                #expect(numbers(heard).sorted() == (0..<10).map(String.init))
            }
        }
        await bus.close()
    }
}
