// SPDX-License-Identifier: Apache-2.0

import Calls
import Compute
import Messaging
import Model
import PluginHost
import StateStore
import Synchronization
import TestSupport
import Testing

@testable import TaskManager

/// What is asked of guest and compute, in order.
private final class Story: Sendable {
    private let lines = Mutex<[String]>([])
    var told: [String] { lines.withLock { $0 } }
    func tell(_ line: String) { lines.withLock { $0.append(line) } }
}

/// An agent that is healthy once its engine was started; one verb may be refused, the first time.
private struct ReshapedGuest: GuestEndpoint {
    let story: Story
    let fixture: EngineFixture
    let changes: ChangeSignal
    let refused: GuestVerb?

    func perform(
        _ verb: GuestVerb, _ arguments: [String: JSONValue], context: RequestContext
    ) async throws -> JSONValue {
        if verb == .ping {
            let report = ServiceReport(
                instanceID: "i1", status: .healthy, heartbeat: fixture.clock.now, volumeUsedBytes: nil)
            try await fixture.store.write(.relaxed) { _ = try $0.instances.setServices([report]) }
            changes.signal("i1")
            return true
        }
        let contents = arguments["config_contents"] ?? arguments["upgrade_info"]?["config_contents"]
        let isFirst = !story.told.contains { $0.hasPrefix(verb.rawValue) }
        story.tell(verb.rawValue + (contents?.stringValue.map { " \($0)" } ?? ""))
        if verb == refused, isFirst { throw RPCFault(className: "GuestError", message: "No room.") }
        return verb == .applyConfiguration ? ["restart_required": []] : .null
    }
}

private struct ReshapingCompute: PartialCompute {
    let story: Story
    let failure: ComputeError?

    init(_ story: Story, failure: ComputeError?) {
        self.story = story
        self.failure = failure
    }

    func growVolume(_ instanceID: String, sizeGiB: Int) async throws(ComputeError) {
        story.tell("grow \(sizeGiB)")
        if let failure { throw failure }
    }
    func replaceAgent(_ request: BootRequest) async throws(ComputeError) {
        let version = request.guestConfiguration["datastore"]?["version"]?.stringValue ?? ""
        story.tell("agent \(request.flavor.ramMiB) \(version)")
    }
    func rebuildServer(_ request: BootRequest) async throws(ComputeError) {
        story.tell("rebuild")
        if let failure { throw failure }
    }
}

/// Renders size and version.
private struct SizingPlugins: ControlPlugins {
    var plugins: [PluginDescription] { get async { [] } }
    var routes: [PluginRoute] { get async { [] } }
    func policy(
        _ reference: String, _ function: PolicyFunction, _ request: JSONValue, _ options: CallOptions
    ) async throws(PluginError) -> JSONValue {
        guard function == .renderConfiguration else { return ["ports": [1]] }
        let memory = request["memory_mb"]?.intValue ?? 0
        return ["config_contents": .string("\(request["version"]?.stringValue ?? "") \(memory)")]
    }
    func handle(
        _ route: PluginRoute, _ request: JSONValue, _ options: CallOptions, control: any ControlHandler
    ) async throws(PluginError) -> JSONValue { throw PluginError(.notFound, "no route") }
    func action(
        _ reference: String, _ name: String, _ arguments: JSONValue, _ options: CallOptions,
        control: any ControlHandler
    ) async throws(PluginError) -> ActionResult { throw PluginError(.notFound, "no action") }
}

@Suite("Flows that give an instance another size, version or server")
struct ReshapeTests {
    private typealias End = (told: [String], instance: InstanceRecord, fault: String?)

    private func run(
        _ flow: any Flow, _ task: InstanceTask, _ input: [String: JSONValue], version: String = "v1",
        refused: GuestVerb? = nil, failure: ComputeError? = nil
    ) async throws -> End {
        let fixture = try EngineFixture()
        let directory = try ScratchDirectory()
        let hub = LocalHub(path: directory.path + "/hub", logger: fixture.logger)
        try hub.start()
        let bus = LocalHubBus(path: directory.path + "/hub", name: "test", logger: fixture.logger)
        let story = Story()
        var services = fixture.services
        services.bus = bus
        services.guests = GuestClient(bus)
        services.plugins = SizingPlugins()
        services.compute = ReshapingCompute(story, failure: failure)
        let sizes = [1, 2].map { Flavor(id: "\($0)", name: "f", ramMiB: 512 * $0, vcpus: 1) }
        services.configuration = TaskManagerConfiguration(owner: "test", flavors: sizes, guestDefaults: [:])
        let guest = ReshapedGuest(story: story, fixture: fixture, changes: services.changes, refused: refused)
        try await bus.serve(topic: GuestTopic.name("i1"), server: "i1", endpoint: GuestDispatcher(guest))
        try await fixture.instance("i1", task: task)
        let now = fixture.clock.now
        try await fixture.store.write(.relaxed) { transaction in
            for (id, name) in [("v1", "1"), ("v2", "2")] {
                try transaction.datastores.upsert(
                    DatastoreVersionRecord(
                        id: id, datastoreID: "ds", name: name, number: name, isActive: true, packages: [],
                        plugins: ["datastore": "org.example.engine"]))
            }
            guard var instance = try transaction.instances.find("i1") else { return }
            instance.datastoreVersionID = version
            _ = try transaction.instances.save(instance, now: now)
            try transaction.journal.insert(
                JournalRecord(
                    id: "op", requestID: "req-1", projectID: "p", userID: "u", flow: type(of: flow).name.rawValue,
                    resourceID: "i1", input: .object(input.merging(["instance_id": "i1"]) { $1 }), created: now))
        }
        let row = try #require(try await fixture.claim())
        await FlowRunner(services: services, logger: fixture.logger, flows: [flow]).run(row)
        let fault = try await fixture.store.read { try $0.faults.find(instanceID: "i1")?.message }
        let instance = try #require(try await fixture.instance("i1"))
        await bus.close()
        await hub.stop()
        return (story.told, instance, fault)
    }

    @Test("a volume grows, then its size is stored; one that cannot grow keeps its size")
    func volume() async throws {
        let input: [String: JSONValue] = ["new_size": 5, "old_size": 1]
        let end = try await run(ResizeVolumeFlow(), .resizing, input)
        #expect(end.told == ["grow 5", "apply_configuration 1 512"])
        #expect(end.instance.volumeGiB == 5 && end.instance.task == InstanceTask.none && end.fault == nil)
        let failed = try await run(
            ResizeVolumeFlow(), .resizing, input, failure: ComputeError(.exhausted, "no room"))
        #expect(failed.told == ["grow 5"] && failed.instance.volumeGiB != 5)
        #expect(failed.instance.task == InstanceTask.none)
        #expect(failed.fault == "The volume could not be resized to 5 GB: no room")
    }

    @Test("a flavor changes between stop and start; an engine that does not start with it goes back")
    func flavor() async throws {
        let input: [String: JSONValue] = ["new_flavor_id": "2", "old_flavor_id": "1"]
        let end = try await run(ResizeFlavorFlow(), .resizing, input)
        #expect(end.told == ["stop_db", "agent 1024 1", "apply_configuration 1 1024", "restart"])
        #expect(end.instance.flavorID == "2" && end.instance.task == InstanceTask.none && end.fault == nil)
        let failed = try await run(ResizeFlavorFlow(), .resizing, input, refused: .restart)
        #expect(
            failed.told == [
                "stop_db", "agent 1024 1", "apply_configuration 1 1024", "restart", "stop_db", "agent 512 1",
                "apply_configuration 1 512", "restart",
            ])
        #expect(failed.instance.flavorID == "1" && failed.instance.task == InstanceTask.none)
        #expect(failed.fault?.hasPrefix("The flavor could not be changed to 2: ") == true)
    }

    private static let upgrade: [String: JSONValue] = [
        "previous_version_id": "v1", "previous_plugins": ["datastore": "org.example.engine@1"], "reversible": false,
        "previous_task": .int(Int64(InstanceTask.none.rawValue)),
    ]

    @Test("an upgrade asks both versions; before the data are touched it goes back, later only where that is possible")
    func upgrade() async throws {
        let end = try await run(UpgradeInstanceFlow(), .upgrading, Self.upgrade, version: "v2")
        #expect(
            end.told == [
                "pre_upgrade 2 512", "stop_db", "agent 512 2", "upgrade 2 512", "restart", "post_upgrade 2 512",
            ])
        #expect(end.instance.datastoreVersionID == "v2" && end.instance.task == InstanceTask.none && end.fault == nil)

        let refused = try await run(
            UpgradeInstanceFlow(), .upgrading, Self.upgrade, version: "v2", refused: .preUpgrade)
        #expect(refused.told == ["pre_upgrade 2 512"])
        #expect(refused.instance.datastoreVersionID == "v1" && refused.instance.task == InstanceTask.none)
        #expect(refused.instance.plugins == ["datastore": "org.example.engine@1"])
        #expect(
            refused.fault
                == "The instance could not be upgraded to version 2; the version before is in use: No room.")

        let broken = try await run(
            UpgradeInstanceFlow(), .upgrading, Self.upgrade, version: "v2", refused: .upgrade)
        #expect(broken.instance.datastoreVersionID == "v2" && broken.instance.task == .buildingErrorServer)
        #expect(broken.fault == "The instance could not be upgraded to version 2: No room.")

        let reversible = Self.upgrade.merging(["reversible": true]) { $1 }
        let back = try await run(UpgradeInstanceFlow(), .upgrading, reversible, version: "v2", refused: .upgrade)
        #expect(
            Array(back.told.suffix(4)) == ["stop_db", "agent 512 1", "apply_configuration 1 512", "restart"])
        #expect(back.instance.datastoreVersionID == "v1" && back.instance.task == InstanceTask.none)
    }

    @Test("a rebuild makes server and configuration anew; one that fails says so")
    func rebuild() async throws {
        let end = try await run(RebuildInstanceFlow(), .building, [:])
        #expect(end.told == ["stop_db", "rebuild", "apply_configuration 1 512", "restart"])
        #expect(end.instance.task == InstanceTask.none && end.fault == nil)
        let failed = try await run(
            RebuildInstanceFlow(), .building, [:], failure: ComputeError(.failed, "no cgroups"))
        #expect(failed.instance.task == .buildingErrorServer)
        #expect(failed.fault == "The instance could not be rebuilt: no cgroups")
    }
}
