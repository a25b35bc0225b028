// SPDX-License-Identifier: Apache-2.0

/// The methods of the conductor; all but `plugin_rpc` are casts, of version 1.0. The raw value is the name on the bus.
///
/// Source: conductor RPC of the reference service; `volume_used`, `size_bytes`, `position`, `message`, `enabled` and
/// `report_plugin_fault` are added.
package enum ConductorVerb: String, Sendable, CaseIterable {
    case heartbeat
    case updateBackup = "update_backup"
    case reportRoot = "report_root"
    case reportFault = "notify_exc_info"
    case reportPluginFault = "report_plugin_fault"
    /// A plugin's message to itself in the control plane, with an answer and without.
    case pluginCall = "plugin_rpc"
    case pluginCast = "plugin_cast"

    /// How long a plugin's message may take.
    package static let pluginTimeout: Duration = .seconds(180)

    /// Where the conductor listens.
    package static let topic = "trove-conductor"

    package var arguments: ArgumentRules {
        switch self {
        case .heartbeat: ArgumentRules(required: ["instance_id", "payload"], optional: ["sent"])
        case .updateBackup:
            ArgumentRules(
                required: ["instance_id", "backup_id"],
                optional: [
                    "sent", "size", "size_bytes", "state", "backup_type", "checksum", "location", "success", "position",
                    "message",
                ]
            )
        case .reportRoot: ArgumentRules(required: ["instance_id"], optional: ["user", "enabled"])
        case .pluginCall, .pluginCast: ArgumentRules(required: ["instance_id", "plugin", "method", "payload"])
        case .reportPluginFault: ArgumentRules(required: ["instance_id", "plugin", "signal"], optional: ["sent"])
        case .reportFault: ArgumentRules(required: ["serialized_notification", "message", "exception"])
        }
    }
}
