// SPDX-License-Identifier: Apache-2.0

import Calls
import Foundation
import Logging
import Messaging
import Model
import ServiceLifecycle
import StateStore
import TestSupport
import Testing

@testable import Conductor

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

    @Test("several conductors at once: the newest heartbeat wins, whoever writes it", .timeLimit(.minutes(1)))
    func several() async throws {
        let fixture = try EngineFixture()
        let ids = (0..<50).map { "i\($0)" }
        for id in ids { try await fixture.instance(id, task: .none) }
        let conductors = (0..<3).map { _ in
            Reports(store: fixture.store, taskManager: TaskManagerClient(AbsentBus()), logger: fixture.logger)
        }
        await withTaskGroup(of: Void.self) { group in
            for round in 1...20 {
                for (number, id) in ids.enumerated() {
                    let report = HeartbeatReport(
                        instanceID: id, status: round == 20 ? .healthy : .shutdown, volumeUsedBytes: round,
                        sent: Timestamp(seconds: Double(round)))
                    let conductor = conductors[(number + round) % 3]
                    group.addTask {
                        try? await conductor.heartbeat(report, context: RequestContext(requestID: "req-1"))
                    }
                }
            }
        }
        for conductor in conductors { await conductor.flush() }
        for id in ids {
            let instance = try #require(try await fixture.instance(id))
            #expect(instance.service == .healthy && instance.volumeUsedBytes == 20, "\(id)")
        }
    }

    @Test("a backup's report and a fault wait for the database, and are written", .timeLimit(.minutes(1)))
    func patience() async throws {
        let fixture = try EngineFixture()
        try await fixture.instance("i1", task: .none)
        let store = SwitchedStore(fixture.store)
        let now = fixture.clock.now
        try await fixture.store.write(.relaxed) { transaction in
            try transaction.backups.insert(
                BackupRecord(
                    id: "b1", name: "b", description: nil, projectID: "p", instanceID: "i1", backupType: "full",
                    datastoreVersionID: "v1", created: now))
        }
        let reports = Reports(store: store, taskManager: TaskManagerClient(AbsentBus()), logger: fixture.logger)
        store.cut()
        let context = RequestContext(requestID: "req-1")
        async let backup: Void = reports.updateBackup(
            BackupReport(
                instanceID: "i1", backupID: "b1", state: .completed, sizeBytes: 5, backupType: nil, checksum: nil,
                location: nil, position: nil, message: nil, sent: now), context: context)
        async let fault: Void = reports.reportFault(
            FaultReport(instanceID: "i1", message: "broken", details: ""), context: context)
        try await Task.sleep(for: .milliseconds(700))
        #expect(try await fixture.store.read { try $0.backups.find("b1")?.state } != .completed)
        store.mend()
        try await backup
        try await fault
        #expect(try await fixture.store.read { try $0.backups.find("b1")?.state } == .completed)
        #expect(try await fixture.store.read { try $0.faults.find(instanceID: "i1")?.message } == "broken")
    }

    @Test("task managers are told of another status, and of nothing else", .timeLimit(.minutes(1)))
    func changes() async throws {
        let fixture = try EngineFixture()
        try await fixture.instance("i1", task: .none)
        let bus = CountingBus()
        let reports = Reports(store: fixture.store, taskManager: TaskManagerClient(bus), logger: fixture.logger)
        for (sent, status) in [(1.0, ServiceStatus.healthy), (2, .healthy), (3, .healthy), (4, .shutdown)] {
            try await reports.heartbeat(
                HeartbeatReport(
                    instanceID: "i1", status: status, volumeUsedBytes: nil, sent: Timestamp(seconds: sent)),
                context: RequestContext(requestID: "req-1"))
            await reports.flush()
        }
        while bus.casts.count < 2 { try await Task.sleep(for: .milliseconds(5)) }
        try await Task.sleep(for: .milliseconds(100))
        #expect(bus.casts == ["instance_changed i1", "instance_changed i1"])
    }
}
