// SPDX-License-Identifier: Apache-2.0

import Calls
import Model

/// Keeps what guests report.
actor RecordingConductor: ConductorEndpoint {
    private(set) var heartbeats: [HeartbeatReport] = []
    private(set) var backups: [BackupReport] = []
    private(set) var roots: [RootReport] = []
    private(set) var faults: [FaultReport] = []
    private(set) var pluginFaults: [PluginFaultReport] = []

    func heartbeat(_ report: HeartbeatReport, context: RequestContext) { heartbeats.append(report) }
    func updateBackup(_ report: BackupReport, context: RequestContext) { backups.append(report) }
    func reportRoot(_ report: RootReport, context: RequestContext) { roots.append(report) }
    func reportFault(_ report: FaultReport, context: RequestContext) { faults.append(report) }
    func reportPluginFault(_ report: PluginFaultReport, context: RequestContext) { pluginFaults.append(report) }

    private(set) var messages: [PluginMessage] = []

    func plugin(_ message: PluginMessage, context: RequestContext) throws -> JSONValue {
        messages.append(message)
        if message.payload.isNull { throw PeerFault.fault(code: "busy", message: "not now") }
        return ["heard": message.payload]
    }

    /// Statuses without repeats next to each other.
    var statuses: [ServiceStatus] {
        heartbeats.compactMap(\.status).reduce(into: []) { if $0.last != $1 { $0.append($1) } }
    }

    func states(_ backupID: String) -> [BackupState] { backups.filter { $0.backupID == backupID }.compactMap(\.state) }
}
