// SPDX-License-Identifier: Apache-2.0

/// What the engine is, as its guest agent last reported; the raw value is what `service_statuses.status_id` holds.
///
/// Source: state machine §1.2. `upgrading` shares its code with `restarting` and reads back as it.
package enum ServiceStatus: Int, Sendable, CaseIterable {
    case running = 0x01
    case blocked = 0x02
    case paused = 0x03
    case shutdown = 0x04
    case deleted = 0x05
    case crashed = 0x06
    case failedToSpawn = 0x08
    case building = 0x09
    case promoting = 0x10
    case ejecting = 0x11
    case logging = 0x12
    case unknown = 0x16
    case new = 0x17
    case guestError = 0x18
    case instanceReady = 0x19
    case restartRequired = 0x20
    case healthy = 0x21
    case restarting = 0x22

    /// The wire form in heartbeats and in messages.
    package var text: String { Self.texts[self]?.wire ?? "unknown" }

    /// The word shown as `operating_status`.
    package var apiStatus: String { Self.texts[self]?.api ?? "ERROR" }

    /// Whether restart, resize and their siblings are allowed in this state.
    package var allowsActions: Bool {
        switch self {
        case .running, .blocked, .shutdown, .crashed, .restartRequired, .healthy: true
        default: false
        }
    }

    /// Whether users, databases and root can be managed.
    package var isDatastoreRunning: Bool { self == .running || self == .healthy }

    /// The status whose wire form is `text`; `nil` for an unknown one.
    package init?(text: String) {
        guard let match = Self.allCases.first(where: { $0.text == text }) else { return nil }
        self = match
    }

    private static let texts: [ServiceStatus: (wire: String, api: String)] = [
        .running: ("running", "ACTIVE"),
        .blocked: ("blocked", "BLOCKED"),
        .paused: ("paused", "SHUTDOWN"),
        .shutdown: ("shutdown", "SHUTDOWN"),
        .deleted: ("deleted", "DELETED"),
        .crashed: ("crashed", "SHUTDOWN"),
        .failedToSpawn: ("failed to spawn", "FAILED"),
        .building: ("building", "BUILD"),
        .promoting: ("promoting replica", "PROMOTE"),
        .ejecting: ("ejecting replica source", "EJECT"),
        .logging: ("transferring guest logs", "LOGGING"),
        .unknown: ("unknown", "ERROR"),
        .new: ("new", "NEW"),
        .guestError: ("guestagent error", "ERROR"),
        .instanceReady: ("instance ready", "BUILD"),
        .restartRequired: ("restart required", "RESTART_REQUIRED"),
        .healthy: ("healthy", "HEALTHY"),
        .restarting: ("restarting", "RESTARTING"),
    ]
}
