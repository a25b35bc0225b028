// SPDX-License-Identifier: Apache-2.0

/// The methods of the conductor; all are casts of version 1.0. The raw value is the name on the bus.
///
/// Source: conductor RPC of the reference service; `volume_used`, `size_bytes`, `position`, `message` and `enabled` are added.
package enum ConductorVerb: String, Sendable, CaseIterable {
    case heartbeat
    case updateBackup = "update_backup"
    case reportRoot = "report_root"
    case reportFault = "notify_exc_info"

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
        case .reportFault: ArgumentRules(required: ["serialized_notification", "message", "exception"])
        }
    }
}
