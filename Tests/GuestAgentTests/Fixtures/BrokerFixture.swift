// SPDX-License-Identifier: Apache-2.0

import BrokerAccounts
import Calls
import Foundation
import Logging
import Model
import ObjectStore
import Synchronization
import TestSupport
import Testing

@testable import GuestAgent
@testable import Messaging

/// A control plane's keys.
struct ControlKeyring: RPCKeyring {
    var keys: [String: RPCKey]
    var ownLabel: String? { nil }
    func isLabelled(_ topic: String) -> Bool { topic == ConductorVerb.topic }
    func key(topic: String) async throws(MessagingError) -> RPCKey? {
        GuestTopic.instanceID(topic).flatMap { keys[$0] }
    }
    func key(label: String) async throws(MessagingError) -> RPCKey? { keys[label] }
}

/// Counts requests on their way to an endpoint.
final class CountingEndpoint: RPCEndpoint {
    private let endpoint: any RPCEndpoint
    private let held = Mutex(0)
    var count: Int { held.withLock { $0 } }
    var implementedVersion: String { endpoint.implementedVersion }

    init(_ endpoint: any RPCEndpoint) { self.endpoint = endpoint }

    func handle(_ request: RPCRequest) async throws -> JSONValue {
        held.withLock { $0 += 1 }
        return try await endpoint.handle(request)
    }
}

/// An agent at a real RabbitMQ with an account of its own, and a control plane whose conductor records.
final class BrokerFixture: Sendable {
    let instance: InstanceFixture
    let key: RPCKey
    let conductor = RecordingConductor()
    let control: RabbitBus
    let keyring: ControlKeyring
    private let nodes: Nodes
    private let administration: RabbitAdministration

    var id: String { instance.configuration.instanceID }
    var topic: String { GuestTopic.name(id) }
    static let context = RequestContext(requestID: "req-test", userID: "user", projectID: "project")

    private init(root: String, others: [String: RPCKey]) async throws {
        nodes = try Nodes.shared([.rabbitmq])
        let (id, key) = (SystemRandomSource().uuid(), try RPCKey.make())
        self.key = key
        administration = try RabbitAdministration(
            RabbitAdministrationConfiguration(
                url: try nodes.text("rabbitmq", "management_url"), user: "admin",
                password: Secret(try nodes.password("rabbitmq", "admin")), virtualHost: "trove", exchange: "trove",
                guestExchange: RabbitConfiguration.guestExchange(of: "trove")),
            logger: InstanceFixture.quiet)
        let account = try GuestAccount(instanceID: id, passphrase: Secret("p"))
        try await administration.create(account)
        let url = "rabbit://127.0.0.1:\(try nodes.port("rabbitmq", "port"))/trove"
        instance = try InstanceFixture(root: root) { document in
            var document = document
            document["instance_id"] = .string(id)
            document["bus"] = [
                "url": .string(url), "user": .string(account.user), "password": .string(account.password.revealed),
                "rpc_key": .string(key.secret.revealed),
            ]
            return document
        }
        keyring = ControlKeyring(keys: others.merging([id: key]) { $1 })
        control = try Self.controlBus(nodes, keyring)
        try await control.serve(
            topic: ConductorVerb.topic, server: "test", endpoint: ConductorDispatcher(conductor))
    }

    private static func controlBus(_ nodes: Nodes, _ keyring: (any RPCKeyring)?) throws -> RabbitBus {
        let url = "rabbit://trove@127.0.0.1:\(try nodes.port("rabbitmq", "port"))/trove"
        var broker = RabbitConfiguration(
            url: try RabbitURL(parsing: url), password: Secret(try nodes.password("rabbitmq", "trove")))
        broker.guestExchange = RabbitConfiguration.guestExchange(of: "trove")
        broker.guestTopics = [ConductorVerb.topic]
        return RabbitBus(broker, name: "control", logger: InstanceFixture.quiet, keyring: keyring)
    }

    /// Another process of a control plane, with other keys or none.
    func withControl(_ keyring: (any RPCKeyring)?, _ body: (GuestClient) async throws -> Void) async throws {
        let bus = try Self.controlBus(nodes, keyring)
        do {
            try await body(GuestClient(bus))
        } catch {
            await bus.close()
            throw error
        }
        await bus.close()
    }

    /// A bus with this guest's account, and whatever key and id.
    func guestBus(id: String? = nil, key: RPCKey?) throws -> any MessageBus {
        guard case .broker(let broker, _) = instance.configuration.bus else {
            throw GuestAgentError(.configuration, "")
        }
        return GuestBusConfiguration.broker(broker, key: key).open(
            instanceID: id ?? self.id, logger: InstanceFixture.quiet)
    }

    /// Runs `body` with broker account and conductor; ends and removes everything afterwards.
    static func run(others: [String: RPCKey] = [:], _ body: (BrokerFixture) async throws -> Void) async throws {
        try await withTemporaryDirectory { root in
            let fixture = try await BrokerFixture(root: root, others: others)
            do {
                try await body(fixture)
            } catch {
                await fixture.close()
                throw error
            }
            await fixture.close()
        }
    }

    private func close() async {
        try? await administration.remove(instanceID: id)
        try? await control.forget(topic: topic, server: id)
        await control.close()
        instance.endEngine()
    }

    func removeAccount() async throws { try await administration.remove(instanceID: id) }

    /// Runs `body` with an agent that serves at the broker.
    func withAgent(_ body: (CountingEndpoint, any MessageBus) async throws -> Void) async throws {
        let bus = try #require(instance.configuration.bus).open(instanceID: id, logger: InstanceFixture.quiet)
        let agent = try GuestAgentService(
            configuration: instance.configuration, conductor: ConductorClient(bus),
            objectStore: DirectoryObjectStore(root: instance.configuration.objectStoreDirectory), probeCommand: [],
            fault: nil, logger: InstanceFixture.quiet, timing: GuestAgentService.Timing())
        try await agent.start()
        let endpoint = CountingEndpoint(GuestDispatcher(agent))
        try await bus.serve(topic: topic, server: id, endpoint: endpoint)
        do {
            try await body(endpoint, bus)
        } catch {
            await agent.stop(limit: .seconds(1))
            await bus.close()
            throw error
        }
        await agent.stop(limit: .seconds(1))
        await bus.close()
    }

    /// Puts a body into the guest's queue as it is.
    func publish(_ body: [UInt8]) async throws {
        let topic = topic
        try await control.submit(within: .seconds(10), bytes: body.count) { deadline, waiter in
            RabbitState.Item(
                message: RabbitMessage(exchange: "trove", key: topic, body: body), deadline: deadline,
                completion: waiter)
        }.get()
    }
}
