// SPDX-License-Identifier: Apache-2.0

import CTrovePlugin

/// Tells the control plane what the plugin learnt by itself; in the guest. `trove.report/1`.
public struct Report: Sendable {
    /// The engine as the plugin sees it.
    public enum Status: String, Sendable {
        /// Answers.
        case healthy
        /// Up, not yet answering.
        case starting
        /// Up, refuses work.
        case blocked
        /// Does not answer.
        case shutdown
    }

    /// The engine's state, until the agent asks for it again.
    public func status(_ status: Status, call: Call? = nil) throws {
        try send("service_status", ["status": .string(status.rawValue)], call)
    }

    /// The superuser was enabled on the engine itself.
    public func rootEnabled(call: Call? = nil) throws { try send("root_enabled", [:], call) }

    /// A note for operators on a running backup.
    public func backup(_ backupID: String, _ message: String, call: Call? = nil) throws {
        try send("backup", ["backup_id": .string(backupID), "message": .string(message)], call)
    }

    private func send(_ kind: String, _ document: JSON, _ call: Call?) throws {
        guard let host = Runtime.host, let report = Runtime.report?.pointee.report else {
            throw Host.missing("trove.report/1")
        }
        let status = kind.withTroveString { kind in
            document.text.withTroveString { report(host, call?.handle, kind, $0) }
        }
        guard status != Int32(TROVE_OK) else { return }
        let message = "the host does not take the report"
        throw call == nil
            ? PluginFailure(PluginStatus(code: status), message)
            : PluginFailure(recorded: PluginStatus(code: status), message: message)
    }
}

extension Host {
    /// Reports to the control plane.
    public static let report = Report()
}
