// SPDX-License-Identifier: Apache-2.0

import Calls
import Compute
import Messaging
import Model
import StateStore
import Synchronization
import TestSupport
import Testing

@testable import TaskManager

/// What a reboot asks of guest and compute, in order.
private final class Story: Sendable {
    private let lines = Mutex<[String]>([])
    var told: [String] { lines.withLock { $0 } }
    func tell(_ line: String) { lines.withLock { $0.append(line) } }
}

/// An agent that is healthy once its engine was started again.
private struct TellingGuest: GuestEndpoint {
    let story: Story
    let fixture: EngineFixture
    let changes: ChangeSignal
    let refusesStop: Bool

    func perform(
        _ verb: GuestVerb, _ arguments: [String: JSONValue], context: RequestContext
    ) async throws -> JSONValue {
        story.tell(verb.rawValue)
        if verb == .stopDatabase, refusesStop { throw RPCFault(className: "GuestError", message: "stuck") }
        guard verb == .ping else { return .null }
        if story.told.contains("restart") {
            let report = ServiceReport(
                instanceID: "i1", status: .healthy, heartbeat: fixture.clock.now, volumeUsedBytes: nil)
            try await fixture.store.write(.relaxed) { _ = try $0.instances.setServices([report]) }
            changes.signal("i1")
        }
        return true
    }
}

/// Compute that can reboot, or fails to.
private struct RebootingCompute: PartialCompute {
    let story: Story
    var failure: ComputeError?

    init(_ story: Story, failure: ComputeError? = nil) {
        self.story = story
        self.failure = failure
    }

    func rebootServer(_ instanceID: String) async throws(ComputeError) {
        story.tell("reboot \(instanceID)")
        if let failure { throw failure }
    }
}

@Suite struct RebootInstanceTests {
    private func reboot(refusesStop: Bool = false, failure: ComputeError? = nil) async throws -> (
        told: [String], instance: InstanceRecord?, fault: String?
    ) {
        let fixture = try EngineFixture()
        let directory = try ScratchDirectory()
        let hub = LocalHub(path: directory.path + "/hub", logger: fixture.logger)
        try hub.start()
        let bus = LocalHubBus(path: directory.path + "/hub", name: "test", logger: fixture.logger)
        let story = Story()
        var services = fixture.services
        services.bus = bus
        services.guests = GuestClient(bus)
        services.compute = RebootingCompute(story, failure: failure)
        let guest = TellingGuest(story: story, fixture: fixture, changes: services.changes, refusesStop: refusesStop)
        try await bus.serve(topic: GuestTopic.name("i1"), server: "i1", endpoint: GuestDispatcher(guest))
        try await fixture.instance("i1", task: .rebooting, flow: .rebootInstance)
        let row = try #require(try await fixture.claim())
        await FlowRunner(services: services, logger: fixture.logger, flows: [RebootInstanceFlow()]).run(row)
        let fault = try await fixture.store.read { try $0.faults.find(instanceID: "i1")?.message }
        let instance = try await fixture.instance("i1")
        await bus.close()
        await hub.stop()
        return (story.told, instance, fault)
    }

    @Test("the engine is stopped, the server rebooted, the engine started and its report waited for")
    func order() async throws {
        let (told, instance, fault) = try await reboot()
        #expect(told == ["rpc_ping", "stop_db", "reboot i1", "restart", "rpc_ping"])
        #expect(instance?.task == InstanceTask.none && instance?.service == .healthy && fault == nil)
    }

    @Test("an agent that cannot stop its engine does not keep the server from its reboot")
    func stuck() async throws {
        let (told, instance, fault) = try await reboot(refusesStop: true)
        #expect(told.contains("reboot i1") && told.contains("restart"))
        #expect(instance?.task == InstanceTask.none && fault == nil)
    }

    @Test("a reboot that fails ends the task and says why")
    func fails() async throws {
        let (told, instance, fault) = try await reboot(failure: ComputeError(.missing, "never booted"))
        #expect(!told.contains("restart"))
        #expect(instance?.task == InstanceTask.none && fault?.contains("never booted") == true)
    }
}
