// SPDX-License-Identifier: Apache-2.0

package import Calls
package import Logging
import Messaging
package import Model

/// Keeps what the conductor is to be told until the bus has taken it.
///
/// Of heartbeats only the newest waits; backup reports, root reports and faults wait in order, at most `limit` of them.
package actor ConductorMailbox {
    /// Something that waits in order.
    package enum Letter: Sendable {
        case backup(BackupReport)
        case root(userID: String?, isEnabled: Bool)
        case fault(message: String, details: String)
        /// For operators, on a running backup.
        case note(backupID: String, message: String)
        case pluginFault(PluginFault)
    }

    private struct Entry {
        let letter: Letter
        let context: RequestContext?
        let onDelivery: (@Sendable () async -> Void)?
    }

    package static let limit = 256

    private let instanceID: String
    private let conductor: ConductorClient
    private let logger: Logger
    private var heartbeat: (status: ServiceStatus, volumeUsedBytes: Int?)?
    private var entries: [Entry] = []
    private var sender: Task<Void, Never>?
    private var isClosed = false

    package init(instanceID: String, conductor: ConductorClient, logger: Logger) {
        self.instanceID = instanceID
        self.conductor = conductor
        self.logger = logger
    }

    /// Replaces a heartbeat that still waits.
    package func heartbeat(_ status: ServiceStatus, volumeUsedBytes: Int?) {
        heartbeat = (status, volumeUsedBytes)
        wake()
    }

    /// - Parameter onDelivery: Called once the bus has it.
    package func post(
        _ letter: Letter, context: RequestContext? = nil, onDelivery: (@Sendable () async -> Void)? = nil
    ) {
        if entries.count >= Self.limit {
            entries.removeFirst()
            logger.error("a report is lost: too many wait for the bus")
        }
        entries.append(Entry(letter: letter, context: context, onDelivery: onDelivery))
        wake()
    }

    /// Waits until everything is delivered, but not past the deadline; then nothing more is sent.
    package func close(deadline: Deadline) async {
        let timer = Task { [sender] in
            try? await Task.sleep(until: deadline.instant, clock: .continuous)
            sender?.cancel()
        }
        await sender?.value
        timer.cancel()
        isClosed = true
    }

    private func wake() {
        guard sender == nil, !isClosed else { return }
        sender = Task { await self.send() }
    }

    private func send() async {
        var pause = Duration.milliseconds(100)
        while !Task.isCancelled, heartbeat != nil || !entries.isEmpty {
            do {
                try await sendNext()
                pause = .milliseconds(100)
            } catch {
                logger.debug("the bus did not take a report", metadata: ["error": "\(error)"])
                try? await Task.sleep(for: pause)
                pause = min(pause * 2, .seconds(5))
            }
        }
        sender = nil
        if !Task.isCancelled, heartbeat != nil || !entries.isEmpty { wake() }
    }

    private func sendNext() async throws(MessagingError) {
        if !entries.isEmpty {
            let entry = entries.removeFirst()
            do {
                try await deliver(entry)
            } catch {
                guard error.code == .badMessage else {
                    entries.insert(entry, at: 0)
                    throw error
                }
                logger.error("a report cannot be sent and is dropped", metadata: ["error": "\(error)"])
            }
            await entry.onDelivery?()
        } else if let waiting = heartbeat {
            heartbeat = nil
            do {
                try await conductor.heartbeat(
                    instanceID, status: waiting.status, volumeUsedBytes: waiting.volumeUsedBytes,
                    sent: SystemWallClock().now)
            } catch {
                if heartbeat == nil { heartbeat = waiting }
                throw error
            }
        }
    }

    private func deliver(_ entry: Entry) async throws(MessagingError) {
        switch entry.letter {
        case .backup(let report):
            try await conductor.updateBackup(
                instanceID, backupID: report.backupID, state: report.state ?? .failed, sizeBytes: report.sizeBytes,
                backupType: report.backupType, checksum: report.checksum, location: report.location,
                position: report.position, message: report.message, sent: report.sent ?? SystemWallClock().now,
                context: entry.context)
        case .root(let userID, let isEnabled):
            try await conductor.reportRoot(instanceID, userID: userID, enabled: isEnabled, context: entry.context)
        case .fault(let message, let details):
            try await conductor.reportFault(instanceID, message: message, details: details, context: entry.context)
        case .note(let backupID, let message):
            try await conductor.noteBackup(
                instanceID, backupID: backupID, message: message, sent: SystemWallClock().now, context: entry.context)
        case .pluginFault(let fault):
            try await conductor.reportPluginFault(
                instanceID, plugin: fault.reference, signal: fault.signal, sent: SystemWallClock().now,
                context: entry.context)
        }
    }
}
