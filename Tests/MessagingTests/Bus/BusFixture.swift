// SPDX-License-Identifier: Apache-2.0

import Messaging
import Model
import Synchronization
import TestSupport
import Testing

/// A transport, and for a broker the switches of its queues.
enum BusKind: String, CaseIterable, Sendable, CustomTestStringConvertible {
    case hub, classic, durable, quorum

    var testDescription: String { rawValue }
}

/// A bus of one kind, and clients that are closed with it.
final class BusFixture: Sendable {
    struct ClientOptions: Sendable {
        var concurrency = 64
        var drain = Duration.seconds(2)

        init(concurrency: Int = 64, drain: Duration = .seconds(2)) {
            self.concurrency = concurrency
            self.drain = drain
        }
    }

    private let make: @Sendable (String, ClientOptions) -> any MessageBus
    private let clients = Mutex<[any MessageBus]>([])
    /// Keeps tests apart that share a broker.
    private let mark = SystemRandomSource().bytes(4).hex

    init(_ make: @escaping @Sendable (String, ClientOptions) -> any MessageBus) { self.make = make }

    /// A topic of this test alone.
    func topic(_ name: String) -> String { "\(name)-\(mark)" }

    func client(_ name: String, _ options: ClientOptions = ClientOptions()) -> any MessageBus {
        let bus = make(name, options)
        clients.withLock { $0.append(bus) }
        return bus
    }

    func tearDown() async {
        for client in clients.withLock({ $0 }) { await client.close() }
    }
}

/// Runs a test with a bus of some kind.
///
/// - Parameter prefetch: How many messages a consumer is given before it acknowledges one.
func withBus(_ kind: BusKind, prefetch: Int = 64, _ body: (BusFixture) async throws -> Void) async throws {
    guard kind == .hub else {
        let nodes = try Nodes.shared([.rabbitmq])
        var configuration = try RabbitConfiguration(nodes)
        configuration.exchange = "trove-\(kind)"
        configuration.isDurable = kind == .durable
        configuration.isQuorum = kind == .quorum
        configuration.isTransientQuorum = kind == .quorum
        let broker = configuration
        return try await run(
            BusFixture { name, options in
                RabbitBus(
                    broker, name: name, logger: .quiet,
                    options: .init(concurrency: options.concurrency, prefetch: prefetch, drain: options.drain))
            }, body)
    }
    let limits = HubLimits(unacknowledgedMessages: prefetch, settling: .zero)
    try await withHub(limits) { hub in
        try await run(
            BusFixture { name, options in
                hub.client(name, .init(concurrency: options.concurrency, drain: options.drain))
            }, body)
    }
}

private func run(_ fixture: BusFixture, _ body: (BusFixture) async throws -> Void) async throws {
    do {
        try await body(fixture)
    } catch {
        await fixture.tearDown()
        throw error
    }
    await fixture.tearDown()
}

extension RabbitConfiguration {
    /// The tests' broker, without TLS.
    init(_ nodes: Nodes) throws {
        let url = "rabbit://trove@\(try nodes.text("rabbitmq", "host")):\(try nodes.port("rabbitmq", "port"))/trove"
        self.init(
            url: try RabbitURL(parsing: url), password: Secret(try nodes.password("rabbitmq", "trove")))
    }
}
