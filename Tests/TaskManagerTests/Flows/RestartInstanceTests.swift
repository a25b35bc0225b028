// SPDX-License-Identifier: Apache-2.0

import Calls
import Messaging
import Model
import StateStore
import Synchronization
import TestSupport
import Testing

@testable import TaskManager

/// An agent whose first report after a restart is lost on its way to the conductor.
private final class ForgottenGuest: GuestEndpoint {
    private let fixture: EngineFixture
    private let changes: ChangeSignal
    private let heard = Mutex<[GuestVerb]>([])

    init(_ fixture: EngineFixture, _ changes: ChangeSignal) {
        self.fixture = fixture
        self.changes = changes
    }

    var verbs: [GuestVerb] { heard.withLock { $0 } }

    func perform(
        _ verb: GuestVerb, _ arguments: [String: JSONValue], context: RequestContext
    ) async throws -> JSONValue {
        let pings = heard.withLock { verbs -> Int in
            verbs.append(verb)
            return verbs.count { $0 == .ping }
        }
        guard verb == .ping else { return .null }
        if pings > 1 {
            let report = ServiceReport(
                instanceID: "i1", status: .healthy, heartbeat: fixture.clock.now, volumeUsedBytes: nil)
            try await fixture.store.write(.relaxed) { _ = try $0.instances.setServices([report]) }
            changes.signal("i1")
        }
        return true
    }
}

@Suite struct RestartInstanceTests {
    @Test("the task ends with what the agent reports of the engine, which is asked for until it is there")
    func lostReport() async throws {
        let fixture = try EngineFixture()
        let directory = try ScratchDirectory()
        let hub = LocalHub(path: directory.path + "/hub", logger: fixture.logger)
        try hub.start()
        let bus = LocalHubBus(path: directory.path + "/hub", name: "test", logger: fixture.logger)
        var services = fixture.services
        services.bus = bus
        services.guests = GuestClient(bus)
        let guest = ForgottenGuest(fixture, services.changes)
        try await bus.serve(topic: GuestTopic.name("i1"), server: "i1", endpoint: GuestDispatcher(guest))

        try await fixture.instance("i1", task: .rebooting, flow: .restartInstance)
        let now = fixture.clock.now
        // Reported before the engine was stopped.
        try await fixture.store.write(.relaxed) { try $0.instances.setService("i1", to: .healthy, heartbeat: now) }
        let row = try #require(try await fixture.claim())
        await FlowRunner(services: services, logger: fixture.logger, flows: [RestartInstanceFlow()]).run(row)

        let instance = try #require(try await fixture.instance("i1"))
        #expect(instance.task == .none && instance.service == .healthy)
        #expect(guest.verbs == [.restart, .ping, .ping])
        await bus.close()
        await hub.stop()
    }
}
