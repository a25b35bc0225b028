// SPDX-License-Identifier: Apache-2.0

import Calls
import Logging
import Messaging
import Model
import StateStore

/// What the conductor does with each kind of report.
struct Reports: ConductorEndpoint {
    private let store: any StateStore
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
        self.store = store
        self.taskManager = taskManager
        self.logger = logger
        self.clock = clock
        heartbeats = HeartbeatQueue { items in try await Self.write(items, store: store, clock: clock) }
    }

    /// Stores the service status and touches the heartbeat; older messages and those of an instance that must be
    /// restarted first are dropped.
    func heartbeat(_ report: HeartbeatReport, context: RequestContext) async throws {
        guard let status = report.status else { return }
        let row = ServiceReport(
            instanceID: report.instanceID, status: status, heartbeat: clock.now,
            volumeUsedBytes: report.volumeUsedBytes
        )
        try await heartbeats.add(HeartbeatQueue.Item(report: row, sent: (report.sent ?? clock.now).seconds))
        await taskManager.changed(instanceID: report.instanceID, context: context)
    }

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

    private static func write(_ items: [HeartbeatQueue.Item], store: any StateStore, clock: any WallClock) async throws
    {
        try await store.write(.relaxed) { transaction in
            var reports: [ServiceReport] = []
            for item in items {
                let id = item.report.instanceID
                guard
                    try transaction.conductorLastSeen.advance(instanceID: id, method: "heartbeat", sent: item.sent),
                    let instance = try transaction.instances.find(id), instance.service != .restartRequired
                else { continue }
                reports.append(item.report)
            }
            try transaction.instances.setServices(reports)
        }
    }
}
