// SPDX-License-Identifier: Apache-2.0

import Model
import Notifications
import StateStore
import TaskManager
import TestSupport
import Testing

@Suite("Notifications of flows")
struct FlowNoticesTests {
    private static let asked: [String: JSONValue] = [
        "tenant_id": "p", "client_ip": "10.0.0.9", "server_ip": "10.0.0.1:8779", "server_type": "api",
        "request_id": "req-1", "name": "as asked",
    ]

    @Test("a flow that nobody told of starts and ends once, however often it is resumed")
    func resumed() async throws {
        let telling = try TellingFixture()
        let fixture = telling.fixture
        try await fixture.instance("i1", task: .rebooting, flow: .restartInstance)
        let trace = Trace()
        let flow = ThreeStepFlow(trace: trace) { [trace] _ in
            if trace.words.filter({ $0.hasPrefix("second") }).count < 3 { throw FlowError("busy", isRetryable: true) }
        }
        for _ in 0..<3 {
            fixture.clock.advance(by: .seconds(120))
            await telling.runner([flow]).run(try #require(try await fixture.claim()))
        }
        let told = await telling.told()
        #expect(told.map(\.eventType) == ["dbaas.instance_restart.start", "dbaas.instance_restart.end"])
        #expect(told.map(\.publisherID) == ["taskmanager.tm-1", "taskmanager.tm-1"])
        #expect(told.last?.payload["instance_id"] == "i1")
        #expect(told.last?.payload["tenant_id"] == "p")
    }

    @Test("a failure that ends a flow is told with its reason")
    func fails() async throws {
        let telling = try TellingFixture()
        try await telling.fixture.instance("i1", task: .rebooting, flow: .restartInstance)
        let record = try #require(try await telling.fixture.claim())
        await telling.runner([ThreeStepFlow(trace: Trace()) { _ in throw FlowError("no room") }]).run(record)
        let told = await telling.told()
        #expect(told.map(\.eventType) == ["dbaas.instance_restart.start", "dbaas.instance_restart.error"])
        #expect(told.last?.payload["message"] == "no room")
        #expect(told.last?.payload["exception"] == ["restart_instance.second: no room\n"])
    }

    @Test("a flow whose row another holds tells nothing of its end")
    func stolen() async throws {
        let telling = try TellingFixture(usesOutbox: true)
        let fixture = telling.fixture
        try await fixture.instance("i1", task: .rebooting, flow: .restartInstance)
        let record = try #require(try await fixture.claim())
        let store = fixture.store
        let flow = ThreeStepFlow(trace: Trace()) { _ in
            try await store.write(.relaxed) { try $0.journal.release(owner: "test") }
        }
        await telling.runner([flow]).run(record)
        try await send(telling)
        #expect(telling.recorder.sent.map(\.eventType) == ["dbaas.instance_restart.start"])
    }

    @Test("the end of every flow is told once, with what was told of its start", arguments: FlowName.allCases)
    func ends(_ name: FlowName) async throws {
        let telling = try TellingFixture(usesOutbox: true)
        let flow = try #require(FlowCatalogue.flows.first { type(of: $0).name == name })
        let record = try await atItsEnd(flow, telling.fixture)
        await telling.runner([flow]).run(record)
        #expect(try await telling.fixture.journal("op")?.state == .done)
        #expect(telling.recorder.sent.isEmpty)
        // As by another task manager, when this one ended right after its commit.
        try await send(telling)
        try await send(telling)
        let event = OperationEvent(flow: name)
        let usages: [FlowName: String] = [
            .createInstance: "create", .deleteInstance: "delete", .resizeVolume: "modify_volume",
            .resizeFlavor: "modify_flavor",
        ]
        let usage = usages[name].map { ["trove.instance." + $0] }
        #expect(telling.recorder.sent.map(\.eventType) == ["dbaas.\(event.rawValue).end"] + (usage ?? []))
        let end = try #require(telling.recorder.sent.first)
        #expect(end.payload["name"] == "as asked")
        #expect(end.payload["client_ip"] == "10.0.0.9")
        #expect(end.payload["server_type"] == .string(event.finisher.rawValue))
        for trait in event.endTraits { #expect(end.payload[trait] == .string(trait == "backup_id" ? "b1" : "i1")) }
        #expect(!telling.recorder.sent.contains { JSONValue.object($0.members).text.contains("pa55word") })
        guard telling.recorder.sent.count == 2 else { return }
        let told = telling.recorder.sent[1].payload
        #expect(told["state"] == (name == .deleteInstance ? "shutdown" : "active"))
        #expect(told["instance_type"] == "tiny")
        #expect(told["user_id"] == "u")
        #expect((told["deleted_at"] != nil) == (name == .deleteInstance))
    }

    @Test("off tells nothing and writes nothing", arguments: FlowName.allCases)
    func off(_ name: FlowName) async throws {
        let fixture = try EngineFixture()
        let flow = try #require(FlowCatalogue.flows.first { type(of: $0).name == name })
        let record = try await atItsEnd(flow, fixture)
        await FlowRunner(services: fixture.services, logger: fixture.logger, flows: [flow]).run(record)
        #expect(try await fixture.journal("op")?.state == .done)
        #expect(try await fixture.store.read { try $0.pluginValues.count(pluginID: "notifications") } == 0)
    }

    private func send(_ telling: TellingFixture) async throws {
        try await OutboxSender(
            notifier: telling.services.notifier, store: telling.fixture.store, logger: telling.fixture.logger
        ).sendAll()
    }

    /// A claimed row of `flow` with every step done, and the nouns that it ends with.
    private func atItsEnd(_ flow: any Flow, _ fixture: EngineFixture) async throws -> JournalRecord {
        let name = type(of: flow).name
        let tasks: [FlowName: InstanceTask] = [
            .createInstance: .building, .deleteInstance: .deleting, .restartInstance: .rebooting,
            .rebootInstance: .rebooting, .resizeVolume: .resizing, .resizeFlavor: .resizing,
        ]
        try await fixture.instance("i1", task: tasks[name] ?? .none)
        let (now, last) = (fixture.clock.now, flow.steps.last?.name ?? "")
        let isOfBackup = name == .createBackup || name == .deleteBackup
        try await fixture.store.write(.relaxed) { transaction in
            let status: ServerStatus = name == .deleteInstance ? .shutdown : .active
            try transaction.instances.setServer("i1", serverID: "s1", status: status, address: nil, now: now)
            try transaction.backups.insert(
                BackupRecord(
                    id: "b1", name: "b", description: nil, projectID: "p", instanceID: "i1", state: .completed,
                    backupType: nil, datastoreVersionID: "v1", created: now))
            try transaction.journal.insert(
                JournalRecord(
                    id: "op", requestID: "req-1", projectID: "p", userID: "u", flow: name.rawValue,
                    resourceID: isOfBackup ? "b1" : "i1",
                    input: [
                        "instance_id": "i1", "backup_id": "b1", "users": [["name": "ann", "password": "pa55word"]],
                        "plugin": "x@1", "before": [:], "notification": .object(Self.asked), "new_size": 2,
                        "new_flavor_id": "1",
                    ],
                    created: now))
        }
        let record = try #require(try await fixture.claim())
        try await fixture.store.write(.relaxed) { transaction in
            try transaction.journal.record(
                "op", fence: record.fence, step: last, isDone: true, scratch: [:], attempt: 1, now: now)
            try transaction.journal.release(owner: "test")
        }
        return try #require(try await fixture.claim())
    }
}
