// SPDX-License-Identifier: Apache-2.0

import Calls
import Messaging
import Model
import PluginHost
import StateStore
import Synchronization
import TestSupport
import Testing

@testable import TaskManager

/// An agent that keeps what it is given, and refuses one value.
private final class ConfiguredGuest: GuestEndpoint {
    private let kept = Mutex<[(values: JSONValue, contents: JSONValue)]>([])

    var applied: [(values: JSONValue, contents: JSONValue)] { kept.withLock { $0 } }

    func perform(
        _ verb: GuestVerb, _ arguments: [String: JSONValue], context: RequestContext
    ) async throws -> JSONValue {
        guard verb == .applyConfiguration, let values = arguments["values"] else {
            throw RPCFault.noSuchMethod(verb.rawValue)
        }
        guard values["size"] != 13 else { throw RPCFault(className: "BadRequest", message: "13 is too little.") }
        kept.withLock { $0.append((values, arguments["config_contents"] ?? .null)) }
        return ["restart_required": values["slow"] == nil ? [] : ["slow"]]
    }
}

/// Renders the overrides as they are.
private struct RenderingPlugins: ControlPlugins {
    var plugins: [PluginDescription] { get async { [] } }
    var routes: [PluginRoute] { get async { [] } }
    func policy(
        _ reference: String, _ function: PolicyFunction, _ request: JSONValue, _ options: CallOptions
    ) async throws(PluginError) -> JSONValue {
        ["config_contents": .string(request["overrides"]?.text ?? "")]
    }
    func handle(
        _ route: PluginRoute, _ request: JSONValue, _ options: CallOptions, control: any ControlHandler
    ) async throws(PluginError) -> JSONValue { throw PluginError(.notFound, "no route") }
    func action(
        _ reference: String, _ name: String, _ arguments: JSONValue, _ options: CallOptions,
        control: any ControlHandler
    ) async throws(PluginError) -> ActionResult { throw PluginError(.notFound, "no action") }
}

@Suite("Flows on configuration groups")
struct ConfigurationFlowsTests {
    private struct Stage {
        let fixture: EngineFixture
        let guest: ConfiguredGuest
        let services: FlowServices

        /// Runs the flow on an instance whose row has `group` already.
        func run(
            _ flow: any Flow, group: String?, before: String? = nil, gone: [String] = [], waits: Bool = false
        ) async throws -> (instance: InstanceRecord, row: JournalRecord, fault: String?) {
            let now = fixture.clock.now
            try await fixture.store.write(.relaxed) { transaction in
                try transaction.configurations.setConfiguration(group, ofInstance: "i1", now: now)
                try transaction.instances.setTask("i1", to: .updating, expecting: nil, now: now)
                try transaction.journal.insert(
                    JournalRecord(
                        id: "op", requestID: "req-1", projectID: "p", userID: "u", flow: type(of: flow).name.rawValue,
                        resourceID: "i1",
                        input: [
                            "instance_id": "i1", "configuration_id": .optional(group), "previous_id": .optional(before),
                            "names": .array(gone.map(JSONValue.string)), "was_restart_required": .bool(waits),
                        ], created: now))
            }
            let row = try #require(try await fixture.claim())
            await FlowRunner(services: services, logger: fixture.logger, flows: [flow]).run(row)
            return (
                try #require(try await fixture.instance("i1")), try #require(try await fixture.journal("op")),
                try await fixture.store.read { try $0.faults.find(instanceID: "i1")?.message }
            )
        }
    }

    private func withStage(_ body: (Stage) async throws -> Void) async throws {
        let fixture = try EngineFixture()
        let directory = try ScratchDirectory()
        let hub = LocalHub(path: directory.path + "/hub", logger: fixture.logger)
        try hub.start()
        let bus = LocalHubBus(path: directory.path + "/hub", name: "test", logger: fixture.logger)
        var services = fixture.services
        services.bus = bus
        services.guests = GuestClient(bus)
        services.plugins = RenderingPlugins()
        let guest = ConfiguredGuest()
        try await bus.serve(topic: GuestTopic.name("i1"), server: "i1", endpoint: GuestDispatcher(guest))
        try await fixture.instance("i1", task: .none)
        let now = fixture.clock.now
        try await fixture.store.write(.relaxed) { transaction in
            try transaction.datastores.upsert(
                DatastoreVersionRecord(
                    id: "v1", datastoreID: "ds", name: "1", number: "1", isActive: true, packages: [],
                    plugins: ["datastore": "org.example.engine"]))
            for (id, values) in [("good", ["size": 5]), ("slow", ["slow": 1]), ("bad", ["size": 13])]
                as [(String, [String: JSONValue])]
            {
                try transaction.configurations.insert(
                    ConfigurationRecord(
                        id: id, name: id, description: nil, projectID: "p", datastoreVersionID: "v1", created: now))
                try transaction.configurations.put(id, values)
            }
        }
        try await body(Stage(fixture: fixture, guest: guest, services: services))
        await bus.close()
        await hub.stop()
    }

    @Test("attaching gives the guest the group's values and the whole configuration")
    func attaches() async throws {
        try await withStage { stage in
            let end = try await stage.run(AttachConfigurationFlow(), group: "good")
            #expect(stage.guest.applied.map(\.values) == [["size": 5]])
            #expect(stage.guest.applied.map(\.contents) == [#"{"size":5}"#])
            #expect(end.row.state == .done)
            #expect(end.instance.task == .none)
            #expect(end.instance.configurationID == "good")
        }
    }

    @Test("what takes effect with a restart leaves the instance waiting for one, until there is one")
    func waits() async throws {
        try await withStage { stage in
            let end = try await stage.run(AttachConfigurationFlow(), group: "slow")
            #expect(end.instance.task == .restartRequired)
        }
        try await withStage { stage in
            let end = try await stage.run(AttachConfigurationFlow(), group: "good", waits: true)
            #expect(end.instance.task == .restartRequired)
        }
    }

    @Test("detaching takes the values away")
    func detaches() async throws {
        try await withStage { stage in
            let end = try await stage.run(DetachConfigurationFlow(), group: nil, before: "good", gone: ["size"])
            #expect(stage.guest.applied.map(\.values) == [["size": .null]])
            #expect(stage.guest.applied.map(\.contents) == ["{}"])
            #expect(end.instance.task == .none && end.instance.configurationID == nil)
        }
    }

    @Test("a group that the guest refuses is taken back, there and in the row")
    func refused() async throws {
        try await withStage { stage in
            let end = try await stage.run(AttachConfigurationFlow(), group: "bad", before: nil)
            #expect(end.row.state == .failed)
            #expect(end.row.error == "13 is too little.")
            #expect(stage.guest.applied.map(\.values) == [["size": .null]])
            #expect(end.instance.configurationID == nil)
            #expect(end.instance.task == .none)
            #expect(end.fault == "The configuration could not be applied: 13 is too little.")
        }
    }

    @Test("a change that one instance refuses stays in the group; the next one that it takes ends the fault")
    func applies() async throws {
        try await withStage { stage in
            let end = try await stage.run(ApplyConfigurationFlow(), group: "bad", before: "bad", gone: ["other"])
            #expect(end.row.state == .failed)
            #expect(end.instance.configurationID == "bad" && end.instance.task == .none)
            #expect(end.fault != nil)
            try await stage.fixture.store.write(.relaxed) { transaction in
                try transaction.configurations.put("bad", ["size": 14])
                try transaction.journal.insert(
                    JournalRecord(
                        id: "next", requestID: "req-2", projectID: "p", userID: "u", flow: "apply_configuration",
                        resourceID: "i1", input: ["instance_id": "i1", "names": ["other"]], created: transaction.now))
            }
            let row = try #require(try await stage.fixture.claim())
            await FlowRunner(services: stage.services, logger: stage.fixture.logger, flows: [ApplyConfigurationFlow()])
                .run(row)
            #expect(stage.guest.applied.map(\.values) == [["size": 14, "other": .null]])
            #expect(try await stage.fixture.store.read { try $0.faults.find(instanceID: "i1") } == nil)
        }
    }

    @Test("an instance that is being deleted is left alone")
    func leaves() async throws {
        try await withStage { stage in
            let now = stage.fixture.clock.now
            try await stage.fixture.store.write(.relaxed) { transaction in
                try transaction.instances.setTask("i1", to: .deleting, expecting: nil, now: now)
                try transaction.journal.insert(
                    JournalRecord(
                        id: "op", requestID: "req-1", projectID: "p", userID: "u", flow: "apply_configuration",
                        resourceID: "i1", input: ["instance_id": "i1"], created: now))
            }
            let row = try #require(try await stage.fixture.claim())
            await FlowRunner(services: stage.services, logger: stage.fixture.logger, flows: [ApplyConfigurationFlow()])
                .run(row)
            #expect(stage.guest.applied.isEmpty)
            #expect(try await stage.fixture.instance("i1")?.task == .deleting)
            #expect(try await stage.fixture.journal("op")?.state == .done)
        }
    }
}
