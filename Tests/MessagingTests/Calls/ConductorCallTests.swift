// SPDX-License-Identifier: Apache-2.0

import Calls
import Messaging
import Model
import TestSupport
import Testing

private struct RecordingConductor: ConductorEndpoint {
    let heartbeats = Recorder<HeartbeatReport>()
    let backups = Recorder<BackupReport>()
    let roots = Recorder<RootReport>()
    let faults = Recorder<FaultReport>()
    let pluginFaults = Recorder<PluginFaultReport>()

    func heartbeat(_ report: HeartbeatReport, context: RequestContext) async throws { heartbeats.append(report) }
    func updateBackup(_ report: BackupReport, context: RequestContext) async throws { backups.append(report) }
    func reportRoot(_ report: RootReport, context: RequestContext) async throws { roots.append(report) }
    func reportFault(_ report: FaultReport, context: RequestContext) async throws { faults.append(report) }
    func reportPluginFault(_ report: PluginFaultReport, context: RequestContext) async throws {
        pluginFaults.append(report)
    }
}

@Suite("Conductor and task manager calls")
struct ConductorCallTests {
    private let sent = Timestamp(microseconds: 1_600_000_000_123_456)

    @Test("reports arrive as they were sent, as casts under a request id")
    func reports() async throws {
        let endpoint = RecordingConductor()
        let direct = DirectClient(endpoint: ConductorDispatcher(endpoint))
        let client = ConductorClient(direct, random: SeededRandomSource(seed: 3))
        try await client.heartbeat("i", status: .failedToSpawn, volumeUsedBytes: 7, sent: sent)
        try await client.updateBackup(
            "i", backupID: "b", state: .completed, sizeBytes: 3 << 29, backupType: "t", checksum: "c", location: "l",
            position: ["lsn": 9], sent: sent)
        try await client.reportRoot("i", userID: "u", enabled: false)
        try await client.reportFault("i", message: "m", details: "one\n\ntwo")
        try await client.reportPluginFault("i", plugin: "org.example.p@1.0.0", signal: 11, sent: sent)
        #expect(
            endpoint.pluginFaults.values == [
                PluginFaultReport(instanceID: "i", plugin: "org.example.p@1.0.0", signal: 11, sent: sent)
            ])
        #expect(
            endpoint.heartbeats.values == [
                HeartbeatReport(instanceID: "i", status: .failedToSpawn, volumeUsedBytes: 7, sent: sent)
            ])
        #expect(
            endpoint.backups.values == [
                BackupReport(
                    instanceID: "i", backupID: "b", state: .completed, sizeBytes: 3 << 29, backupType: "t",
                    checksum: "c", location: "l", position: ["lsn": 9], sent: sent)
            ])
        #expect(endpoint.roots.values == [RootReport(instanceID: "i", userID: "u", isEnabled: false)])
        #expect(endpoint.faults.values == [FaultReport(instanceID: "i", message: "m", details: "one\n\ntwo")])
        for item in direct.sent.values {
            #expect(item.topic == "trove-conductor" && !item.request.isCall && item.request.version == "1.0")
            #expect(item.request.context.requestID.hasPrefix("req-"))
        }
    }

    @Test("a heartbeat and a backup report have the reference service's members")
    func wire() {
        let heartbeat = HeartbeatReport(instanceID: "i", status: .running, volumeUsedBytes: nil, sent: sent)
        #expect(
            heartbeat.arguments == [
                "instance_id": "i", "payload": ["service_status": "running"], "sent": 1_600_000_000.123456,
            ])
        let backup = BackupReport(instanceID: "i", backupID: "b", state: .failed, sizeBytes: 3 << 29, sent: nil)
        #expect(
            backup.arguments == [
                "instance_id": "i", "backup_id": "b", "state": "FAILED", "success": false, "size": 1.5,
                "size_bytes": .int(3 << 29),
            ])
    }

    @Test("reports of other guests are read: sizes in GB alone, root without a user, no time, no status")
    func foreign() throws {
        let backup = try BackupReport(
            arguments: ["instance_id": "i", "backup_id": "b", "size": 1.5, "state": "BUILDING"])
        #expect(backup.sizeBytes == 3 << 29 && backup.sent == nil)
        #expect(
            try RootReport(arguments: ["instance_id": "i"]) == RootReport(instanceID: "i", userID: nil, isEnabled: true)
        )
        let heartbeat = try HeartbeatReport(
            arguments: ["instance_id": "i", "payload": ["service_status": .null], "sent": 12])
        #expect(heartbeat.status == nil && heartbeat.sent == Timestamp(microseconds: 12_000_000))
    }

    @Test("nonsense is refused: unknown words, wrong types, impossible numbers")
    func refused() {
        #expect(throws: RPCFault.self) {
            try HeartbeatReport(arguments: ["instance_id": "i", "payload": ["service_status": "upgrading"]])
        }
        #expect(throws: RPCFault.self) { try HeartbeatReport(arguments: ["instance_id": "i", "payload": "x"]) }
        #expect(throws: RPCFault.self) { try HeartbeatReport(arguments: ["instance_id": 1, "payload": [:]]) }
        #expect(throws: RPCFault.self) {
            try HeartbeatReport(arguments: ["instance_id": "i", "payload": [:], "sent": 1e300])
        }
        #expect(throws: RPCFault.self) {
            try BackupReport(arguments: ["instance_id": "i", "backup_id": "b", "state": "DONE"])
        }
        #expect(throws: RPCFault.self) {
            try BackupReport(arguments: ["instance_id": "i", "backup_id": "b", "size_bytes": -1])
        }
        #expect(throws: RPCFault.self) { try FaultReport(arguments: ["serialized_notification": [:], "message": "m"]) }
    }

    @Test("missing and unexpected arguments are TypeErrors", arguments: ConductorVerb.allCases)
    func arguments(_ verb: ConductorVerb) async throws {
        let dispatcher = ConductorDispatcher(RecordingConductor())
        let empty = await #expect(throws: RPCFault.self) {
            try await dispatcher.handle(RPCRequest(method: verb.rawValue, context: .test))
        }
        #expect(empty?.className == "TypeError")
        var arguments = Dictionary(uniqueKeysWithValues: verb.arguments.required.map { ($0, JSONValue.null) })
        arguments["stranger"] = 1
        let extra = await #expect(throws: RPCFault.self) {
            try await dispatcher.handle(RPCRequest(method: verb.rawValue, arguments: arguments, context: .test))
        }
        #expect(extra?.message.contains("'stranger'") == true)
    }

    @Test("wake-ups arrive, and a bus that cannot take them is no error")
    func taskManager() async throws {
        let seen = Recorder<String>()
        struct Endpoint: TaskManagerEndpoint {
            let seen: Recorder<String>
            func wake(context: RequestContext) async { seen.append("wake") }
            func instanceChanged(_ instanceID: String, context: RequestContext) async { seen.append(instanceID) }
        }
        let dispatcher = TaskManagerDispatcher(Endpoint(seen: seen))
        let client = TaskManagerClient(DirectClient(endpoint: dispatcher))
        await client.wake(context: .test)
        await client.changed(instanceID: "i")
        #expect(seen.values == ["wake", "i"])
        await TaskManagerClient(DirectClient(endpoint: ClosureEndpoint { _ in throw RPCFault.valueError("x") }))
            .wake(context: .test)
        let fault = await #expect(throws: RPCFault.self) {
            try await dispatcher.handle(RPCRequest(method: "create_instance", context: .test))
        }
        #expect(fault?.className == "NoSuchMethod")
        await #expect(throws: RPCFault.self) {
            try await dispatcher.handle(RPCRequest(method: "wake", arguments: ["x": 1], context: .test))
        }
    }
}
