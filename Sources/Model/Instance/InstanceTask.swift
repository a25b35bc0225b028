// SPDX-License-Identifier: Apache-2.0

/// What the control plane is doing to an instance; the raw value is what `instances.task_id` holds.
///
/// Source: the reference service's table of tasks (state machine §1.1).
package enum InstanceTask: Int, Sendable, CaseIterable {
    case none = 0x01
    case deleting = 0x02
    case rebooting = 0x03
    case resizing = 0x04
    case building = 0x05
    case migrating = 0x06
    case restartRequired = 0x07
    case promoting = 0x08
    case ejecting = 0x09
    case logging = 0x0a
    case detaching = 0x0b
    case updating = 0x0c
    case buildingErrorDNS = 0x50
    case buildingErrorServer = 0x51
    case buildingErrorVolume = 0x52
    case buildingErrorSecurityGroup = 0x53
    case buildingErrorReplica = 0x54
    case promotionError = 0x55
    case ejectionError = 0x56
    case growingError = 0x57
    case shrinkingError = 0x58
    case upgrading = 0x59
    case upgradingError = 0x5a
    case buildingErrorTimeoutGuest = 0x5b
    case buildingErrorPort = 0x5c
    case updatingErrorAccess = 0x5d

    /// Whether the instance has failed and reports ERROR.
    package var isError: Bool { rawValue >= 0x50 && self != .upgrading }

    /// The word used in messages about an unavailable instance.
    package var action: String { Self.texts[self]?.action ?? "NONE" }

    /// The sentence shown to administrators as `task_description`.
    package var text: String { Self.texts[self]?.text ?? "" }

    private static let texts: [InstanceTask: (action: String, text: String)] = [
        .none: ("NONE", "No tasks for the instance."),
        .deleting: ("DELETING", "Deleting the instance."),
        .rebooting: ("REBOOTING", "Rebooting the instance."),
        .resizing: ("RESIZING", "Resizing the instance."),
        .building: ("BUILDING", "The instance is building."),
        .migrating: ("MIGRATING", "Migrating the instance."),
        .restartRequired: ("RESTART_REQUIRED", "Instance requires a restart."),
        .promoting: ("PROMOTING", "Promoting the instance to replica source."),
        .ejecting: ("EJECTING", "Ejecting the replica source."),
        .logging: ("LOGGING", "Transferring guest logs."),
        .detaching: ("DETACHING", "Detaching the instance from replica source."),
        .updating: ("UPDATING", "Updating the instance."),
        .buildingErrorDNS: ("BUILDING", "Build error: DNS."),
        .buildingErrorServer: ("BUILDING", "Build error: Server."),
        .buildingErrorVolume: ("BUILDING", "Build error: Volume."),
        .buildingErrorSecurityGroup: ("BUILDING", "Build error: Secgroup or rule."),
        .buildingErrorReplica: ("BUILDING", "Build error: Replica."),
        .promotionError: ("PROMOTING", "Replica Promotion Error."),
        .ejectionError: ("EJECTING", "Replica Source Ejection Error."),
        .growingError: ("GROWING", "Growing Cluster Error."),
        .shrinkingError: ("SHRINKING", "Shrinking Cluster Error."),
        .upgrading: ("UPGRADING", "Upgrading the instance."),
        .upgradingError: ("UPGRADING", "Upgrading Cluster Error."),
        .buildingErrorTimeoutGuest: ("ERROR", "Build error: guestagent timeout."),
        .buildingErrorPort: ("BUILDING", "Build error: Port."),
        .updatingErrorAccess: ("UPDATING", "Update error: Access."),
    ]
}
