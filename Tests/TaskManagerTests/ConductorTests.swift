// SPDX-License-Identifier: Apache-2.0

import Calls
import Conductor
import Foundation
import Logging
import Messaging
import Model
import ServiceLifecycle
import StateStore
import TestSupport
import Testing

/// The conductor over a real hub, as guests talk to it.
@Suite("Conductor")
struct ConductorTests {
    private func withConductor(
        _ body: (EngineFixture, ConductorClient) async throws -> Void
    ) async throws {
        let fixture = try EngineFixture()
        let path = NSTemporaryDirectory() + "trove-\(UUID().uuidString.prefix(8)).sock"
        let hub = LocalHub(path: path, logger: fixture.logger)
        let serving = Task { try await hub.run() }
        let bus = LocalHubBus(path: path, name: "test", logger: fixture.logger)
        let conductor = Task {
            try await ConductorService(bus: bus, store: fixture.store, hostName: "h", logger: fixture.logger).run()
        }
        try await bus.declare(topic: ConductorVerb.topic, server: "h")
        do {
            try await body(fixture, ConductorClient(bus))
        } catch {
            conductor.cancel()
            await bus.close()
            serving.cancel()
            throw error
        }
        conductor.cancel()
        await bus.close()
        serving.cancel()
        _ = try? await serving.value
    }

    private func service(_ fixture: EngineFixture, becomes status: ServiceStatus) async throws {
        for _ in 0..<500 {
            if try await fixture.instance("i1")?.service == status { return }
            try await Task.sleep(for: .milliseconds(10))
        }
        Issue.record("the service did not become \(status)")
    }

    @Test("an older heartbeat never overwrites a newer one", .timeLimit(.minutes(1)))
    func staleness() async throws {
        try await withConductor { fixture, client in
            try await fixture.instance("i1", task: .none)
            try await client.heartbeat("i1", status: .healthy, volumeUsedBytes: 7, sent: Timestamp(seconds: 100))
            try await service(fixture, becomes: .healthy)
            try await client.heartbeat("i1", status: .shutdown, volumeUsedBytes: 9, sent: Timestamp(seconds: 99))
            try await client.heartbeat("i1", status: .running, volumeUsedBytes: 8, sent: Timestamp(seconds: 101))
            try await service(fixture, becomes: .running)
            #expect(try await fixture.instance("i1")?.volumeUsedBytes == 8)
        }
    }

    @Test("heartbeats are ignored while the instance must be restarted", .timeLimit(.minutes(1)))
    func restartRequired() async throws {
        try await withConductor { fixture, client in
            try await fixture.instance("i1", task: .none)
            let now = fixture.clock.now
            try await fixture.store.write(.relaxed) {
                try $0.instances.setService("i1", to: .restartRequired, heartbeat: now)
            }
            try await client.heartbeat("i1", status: .healthy, volumeUsedBytes: nil, sent: Timestamp(seconds: 5))
            try await client.reportFault("i1", message: "marker", details: "")
            for _ in 0..<500 where try await fixture.store.read({ try $0.faults.find(instanceID: "i1") }) == nil {
                try await Task.sleep(for: .milliseconds(10))
            }
            #expect(try await fixture.instance("i1")?.service == .restartRequired)
        }
    }
}
