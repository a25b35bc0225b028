// SPDX-License-Identifier: Apache-2.0

import BrokerAccounts
import Logging
import Messaging
import Model
import StateStore
import Synchronization
import TestSupport
import Testing

@testable import TaskManager

/// One step of a real flow, by itself.
private struct OneStepFlow: Flow {
    static let name = FlowName.restartInstance
    let steps: [FlowStep]

    init(_ step: String, of flow: any Flow) { steps = flow.steps.filter { $0.name == step } }

    func finish(_ run: FlowRun, _ transaction: any StateTransaction, now: Timestamp) throws {}
    func fail(
        _ run: FlowRun, step: FlowStep, message: String, _ transaction: any StateTransaction, now: Timestamp
    ) throws {}
}

/// The broker's administration, which is away a few times before it answers.
private final class LateAdministration: BrokerAdministration {
    private let real: any BrokerAdministration
    private let failures: Mutex<Int>

    init(_ real: any BrokerAdministration, failures: Int) {
        self.real = real
        self.failures = Mutex(failures)
    }

    private func fail() throws(BrokerAccountError) {
        let isAway = failures.withLock { left in
            left -= 1
            return left >= 0
        }
        if isAway { throw BrokerAccountError(.unavailable, "just starting") }
    }

    func create(_ account: GuestAccount) async throws(BrokerAccountError) {
        try fail()
        try await real.create(account)
    }

    func remove(instanceID: String) async throws(BrokerAccountError) {
        try fail()
        try await real.remove(instanceID: instanceID)
    }

    func instances() async throws(BrokerAccountError) -> Set<String> { try await real.instances() }
}

/// Guests' accounts, keys and queues, with a real broker.
@Suite("GuestBus, Serial", .serialized)
struct GuestBusTests {
    static let id = "22222222-0000-4000-8000-000000000002"
    private let fixture: EngineFixture
    private let administration: RabbitAdministration
    private let bus: RabbitBus
    private let keys: RPCKeyBox
    private let services: FlowServices

    init() throws {
        let nodes = try Nodes.shared([.rabbitmq])
        fixture = try EngineFixture()
        let url = try RabbitURL(
            parsing: "rabbit://trove@127.0.0.1:\(try nodes.port("rabbitmq", "port"))/trove")
        var broker = RabbitConfiguration(url: url, password: Secret(try nodes.password("rabbitmq", "trove")))
        broker.guestExchange = RabbitConfiguration.guestExchange(of: broker.exchange)
        bus = RabbitBus(broker, name: "test", logger: fixture.logger)
        administration = try RabbitAdministration(
            RabbitAdministrationConfiguration(
                url: try nodes.text("rabbitmq", "management_url"), user: "admin",
                password: Secret(try nodes.password("rabbitmq", "admin")), virtualHost: "trove",
                exchange: broker.exchange, guestExchange: "trove_guests"),
            logger: fixture.logger)
        keys = try RPCKeyBox(passphrase: Secret("a passphrase"))
        var services = fixture.services
        services.bus = bus
        services.guestBus = GuestBus(
            administration: LateAdministration(administration, failures: 1), passphrase: Secret("p"), keys: keys)
        self.services = services
    }

    /// Runs one step of a flow to its end.
    private func run(_ step: String, of flow: any Flow, _ services: FlowServices) async throws -> JournalRecord.State? {
        let id = Self.id
        let now = fixture.clock.now
        let row = "op-" + SystemRandomSource().uuid()
        try await fixture.store.write(.relaxed) { transaction in
            try transaction.journal.insert(
                JournalRecord(
                    id: row, requestID: "req-1", projectID: "p", userID: "u", flow: FlowName.restartInstance.rawValue,
                    resourceID: id, input: ["instance_id": .string(id)], created: now))
        }
        let record = try #require(try await fixture.claim())
        await FlowRunner(services: services, logger: fixture.logger, flows: [OneStepFlow(step, of: flow)]).run(record)
        return try await fixture.journal(row)?.state
    }

    private func ledger() async throws -> [LedgerEntry] {
        let id = Self.id
        return try await fixture.store.read { try $0.ledger.owned(by: id) }
    }

    @Test("an account, a key and queues are made once, however often, and removed with what the ledger has of them")
    func lifetime() async throws {
        try await fixture.instance(Self.id, task: .building)
        #expect(try await run("bus", of: CreateInstanceFlow(), services) == .done)
        #expect(try await administration.instances().contains(Self.id))
        #expect(try await ledger().map(\.tag) == ["trove-guest-\(Self.id)"])
        let stored = try #require(try await fixture.instance(Self.id)?.encryptedKey)
        let key = try keys.open(stored)
        #expect(key.secret.revealed.count == RPCKey.length)
        // The queue is there: a cast waits in it.
        let context = RequestContext(requestID: "req-1")
        try await bus.cast("guestagent.\(Self.id)", "rpc_ping", [:], context: context, version: "1.0")

        #expect(try await run("bus", of: CreateInstanceFlow(), services) == .done)
        let instance = try #require(try await fixture.instance(Self.id))
        #expect(instance.encryptedKey == stored)
        let members = try #require(try services.guestBus?.members(["url": "rabbit://broker/trove"], of: instance))
        #expect(members["url"] == "rabbit://broker/trove" && members["user"] == .string("trove-guest-\(Self.id)"))
        #expect(members["rpc_key"] == .string(key.secret.revealed) && members.redacted["rpc_key"] == "<redacted>")
        let account = try GuestAccount(instanceID: Self.id, passphrase: Secret("p"))
        #expect(members["password"] == .string(account.password.revealed))

        for _ in 0..<2 {
            #expect(try await run("bus", of: DeleteInstanceFlow(), services) == .done)
            #expect(try await !administration.instances().contains(Self.id))
            #expect(try await ledger().isEmpty)
        }
        await #expect(throws: MessagingError.self) {
            try await bus.call(
                "guestagent.\(Self.id)", "rpc_ping", [:], context: context, timeout: .seconds(15), version: "1.0")
        }
        await bus.close()
    }

    @Test("without encryption no key is made, and a stored one still opens; without its passphrase the boot fails")
    func plain() async throws {
        try await fixture.instance(Self.id, task: .building)
        var services = services
        services.guestBus = GuestBus(
            administration: administration, passphrase: Secret("p"), keys: keys, sealing: .off)
        #expect(try await run("bus", of: CreateInstanceFlow(), services) == .done)
        var instance = try #require(try await fixture.instance(Self.id))
        #expect(instance.encryptedKey == nil)
        #expect(try services.guestBus?.members([:], of: instance).objectValue?.keys.contains("rpc_key") == false)
        instance.encryptedKey = try keys.seal(RPCKey.make())
        #expect(try services.guestBus?.members([:], of: instance)["rpc_key"]?.stringValue?.count == RPCKey.length)
        let strange = GuestBus(administration: administration, passphrase: Secret("p"), keys: nil)
        #expect(throws: FlowError.self) { try strange.members([:], of: instance) }
        try await administration.remove(instanceID: Self.id)
        await bus.close()
    }

    @Test("a refusing broker fails the step without telling the tenant where it is, and leaves no ledger behind")
    func refused() async throws {
        try await fixture.instance(Self.id, task: .building, flow: .createInstance)
        let nodes = try Nodes.shared([.rabbitmq])
        var services = services
        let stranger = try RabbitAdministration(
            RabbitAdministrationConfiguration(
                url: try nodes.text("rabbitmq", "management_url"), user: "admin", password: Secret("wrong"),
                virtualHost: "trove", exchange: "trove", guestExchange: "trove_guests"),
            logger: fixture.logger)
        services.guestBus = GuestBus(administration: stranger, passphrase: Secret("p"), keys: keys)
        let record = try #require(try await fixture.claim())
        let flow = CreateInstanceFlow()
        let run = FlowRun(record: record, services: services, logger: fixture.logger)
        let step = try #require(flow.steps.first { $0.name == "bus" })
        let error = await #expect(throws: FlowError.self) { try await step.run(run) }
        #expect(error?.isRetryable == false && error?.message.contains("127.0.0.1") == false)
        await bus.close()
    }

    @Test("where the bus is the control plane's own, nothing of this is made")
    func embedded() async throws {
        try await fixture.instance(Self.id, task: .building)
        var services = services
        services.guestBus = nil
        #expect(try await run("bus", of: CreateInstanceFlow(), services) == .done)
        #expect(try await ledger().isEmpty)
        #expect(try await fixture.instance(Self.id)?.encryptedKey == nil)
        #expect(try await !administration.instances().contains(Self.id))
        #expect(try await run("bus", of: DeleteInstanceFlow(), services) == .done)
        await bus.close()
    }
}
