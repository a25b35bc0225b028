// SPDX-License-Identifier: Apache-2.0

/// The compute server's state, in the words of the compute API.
package enum ServerStatus: String, Sendable {
    case build = "BUILD"
    case active = "ACTIVE"
    case error = "ERROR"
    case reboot = "REBOOT"
    case resize = "RESIZE"
    case verifyResize = "VERIFY_RESIZE"
    case shutdown = "SHUTDOWN"
    case deleted = "DELETED"
    case unknown = "UNKNOWN"
}

/// The three stored facts about an instance, and what is reported from them.
///
/// Source: state machine §2 and §2.1; the first matching row wins.
package struct InstanceStatus: Sendable, Hashable {
    package var task: InstanceTask
    package var service: ServiceStatus
    package var server: ServerStatus
    /// When the guest was last heard.
    package var heartbeat: Timestamp
    /// Whether a backup of the instance is NEW, BUILDING or SAVING.
    package var backupIsRunning: Bool

    package init(
        task: InstanceTask,
        service: ServiceStatus,
        server: ServerStatus,
        heartbeat: Timestamp,
        backupIsRunning: Bool
    ) {
        self.task = task
        self.service = service
        self.server = server
        self.heartbeat = heartbeat
        self.backupIsRunning = backupIsRunning
    }

    /// The word reported as `status`.
    package var status: String {
        if task.isError { return "ERROR" }
        switch task {
        case .building: return server == .error ? "ERROR" : "BUILD"
        case .rebooting: return "REBOOT"
        case .resizing: return "RESIZE"
        case .upgrading: return "UPGRADE"
        case .restartRequired: return "RESTART_REQUIRED"
        case .promoting: return "PROMOTE"
        case .ejecting: return "EJECT"
        case .detaching: return "DETACH"
        case .logging: return "LOGGING"
        case .deleting: return [.active, .shutdown, .deleted].contains(server) ? "SHUTDOWN" : "ERROR"
        default: break
        }
        if backupIsRunning { return "BACKUP" }
        switch server {
        case .build, .error, .reboot, .resize, .active, .shutdown: return server.rawValue
        case .verifyResize: return "RESIZE"
        default: return "UNKNOWN"
        }
    }

    /// The word reported as `operating_status`; empty while a task runs or the server is not active.
    ///
    /// - Parameters:
    ///   - now: The time against which the heartbeat's age is taken.
    ///   - expiry: Age from which a silent guest counts as failed.
    package func operatingStatus(now: Timestamp, expiry: Duration) -> String {
        guard task == .none, server == .active else { return "" }
        return effectiveService(now: now, expiry: expiry).apiStatus
    }

    /// The service status with an expired heartbeat taken into account.
    package func effectiveService(now: Timestamp, expiry: Duration) -> ServiceStatus {
        task == .none && service != .restartRequired && now - heartbeat >= expiry ? .guestError : service
    }

    /// Why an action cannot be performed now, as "(kind status was X)" of the contract's 422 (§3.6); `nil` when it can.
    package var unavailability: String? {
        if server != .active { return "(instance status was \(server.rawValue))" }
        if task != .none, task != .restartRequired { return "(task status was \(task.action))" }
        if !service.allowsActions { return "(instance status was \(status))" }
        if backupIsRunning { return "(instance status was BACKUP)" }
        return nil
    }
}
