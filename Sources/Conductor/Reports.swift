// SPDX-License-Identifier: Apache-2.0

import Calls
import Logging
import Messaging
import Model
import StateStore

/// What the conductor does with each kind of report.
struct Reports: ConductorEndpoint {
    /// Of a report that is not a heartbeat there is no second: it waits for the database.
    private let store: PatientStateStore
    private let taskManager: TaskManagerClient
    private let logger: Logger
    private let clock: any WallClock
    private let heartbeats: HeartbeatQueue
    private let onPluginFault: @Sendable (PluginFaultReport) async -> Void
    private let plugins: (any PluginMessageEndpoint)?

    init(
        store: any StateStore, taskManager: TaskManagerClient, logger: Logger, clock: any WallClock = SystemWallClock(),
        plugins: (any PluginMessageEndpoint)? = nil,
        onPluginFault: @Sendable @escaping (PluginFaultReport) async -> Void = { _ in }
    ) {
        self.onPluginFault = onPluginFault
        self.plugins = plugins
        self.store = PatientStateStore(store, logger: logger)
        self.taskManager = taskManager
        self.logger = logger
        self.clock = clock
        heartbeats = HeartbeatQueue(logger: logger) { items in
            let changed = try await store.write(.relaxed) { try HeartbeatBatch.write(items, $0) }
            guard !changed.isEmpty else { return }
            // A bus that is away holds up no heartbeat.
            Task { for id in changed { await taskManager.changed(instanceID: id) } }
        }
    }

    /// Stores the service status and touches the heartbeat; older messages and those of an instance that must be
    /// restarted first are dropped. Task managers are told when the status is another one.
    func heartbeat(_ report: HeartbeatReport, context: RequestContext) async throws {
        guard let status = report.status else { return }
        let row = ServiceReport(
            instanceID: report.instanceID, status: status, heartbeat: clock.now,
            volumeUsedBytes: report.volumeUsedBytes
        )
        await heartbeats.add(HeartbeatQueue.Item(report: row, sent: (report.sent ?? clock.now).seconds))
    }

    /// Waits until heartbeats that came are written.
    func flush() async { await heartbeats.flush() }

    func updateBackup(_ report: BackupReport, context: RequestContext) async throws {
        let clock = clock
        let isKnown = try await store.write(.durable) { transaction -> Bool in
            guard let backup = try transaction.backups.find(report.backupID), backup.instanceID == report.instanceID
            else { return false }
            // A backup that has ended stays as it ended.
            guard backup.state.isRunning else { return true }
            try transaction.backups.update(
                report.backupID, state: report.state, sizeBytes: report.sizeBytes.map(Int64.init),
                checksum: report.checksum, location: report.location, position: report.position, now: clock.now
            )
            return true
        }
        var metadata: Logger.Metadata = [
            "backup.id": "\(report.backupID)", "instance.id": "\(report.instanceID)",
            "request.id": "\(context.requestID)",
        ]
        if !isKnown { logger.warning("a report about an unknown backup was dropped", metadata: metadata) }
        if let message = report.message {
            if report.state == nil {
                metadata["note"] = "\(message)"
                logger.notice("a plugin noted something on a backup", metadata: metadata)
            } else {
                metadata["error"] = "\(message)"
                logger.error("a backup failed", metadata: metadata)
            }
        }
        await taskManager.changed(instanceID: report.instanceID)
    }

    func reportRoot(_ report: RootReport, context: RequestContext) async throws {
        let clock = clock
        let userID = report.userID ?? context.userID
        try await store.write(.durable) { transaction in
            guard try transaction.instances.find(report.instanceID) != nil else { return }
            if report.isEnabled {
                try transaction.rootHistory.record(instanceID: report.instanceID, userID: userID, now: clock.now)
            } else {
                try transaction.rootHistory.clear(instanceID: report.instanceID)
            }
        }
    }

    func reportFault(_ report: FaultReport, context: RequestContext) async throws {
        let clock = clock
        let id = report.instanceID
        logger.error(
            "a guest reported a fault", metadata: ["instance.id": "\(id)", "error": "\(report.message)"]
        )
        try await store.write(.durable) { transaction in
            guard try transaction.instances.find(id) != nil else { return }
            try transaction.faults.save(
                FaultRecord(
                    instanceID: id, message: String(report.message.prefix(255)), details: report.details,
                    created: clock.now
                )
            )
        }
        await taskManager.changed(instanceID: id, context: context)
    }

    func plugin(_ message: PluginMessage, context: RequestContext) async throws -> JSONValue {
        guard let plugins else { throw RPCFault.noSuchMethod(ConductorVerb.pluginCall.rawValue) }
        return try await plugins.handle(message, context: context)
    }

    /// Hands it to whoever counts traps; an instance that is not there cannot have one.
    func reportPluginFault(_ report: PluginFaultReport, context: RequestContext) async throws {
        let isKnown = try await store.read { try $0.instances.find(report.instanceID) != nil }
        guard isKnown else { return }
        logger.error(
            "a plugin ended a guest agent",
            metadata: [
                "instance.id": "\(report.instanceID)", "plugin.id": "\(report.plugin)", "signal": "\(report.signal)",
            ])
        await onPluginFault(report)
    }
}
