// SPDX-License-Identifier: Apache-2.0

package import Calls
package import Logging
package import Model
import ObjectStore

/// Makes backups in the background, each once, one after the other.
package actor BackupRunner {
    private let configuration: GuestConfiguration
    private let transfer: BackupTransfer
    private let mailbox: ConductorMailbox
    private let logger: Logger
    private let records: BackupRecords
    private let isEngineUp: @Sendable () async -> Bool
    private var running: [String: Task<Void, Never>] = [:]
    private var last: Task<Void, Never>?
    private var isReleased = false

    /// - Parameter isEngineUp: Whether a backup can be made now.
    package init(
        configuration: GuestConfiguration, transfer: BackupTransfer, mailbox: ConductorMailbox, logger: Logger,
        isEngineUp: @escaping @Sendable () async -> Bool
    ) throws(GuestAgentError) {
        self.configuration = configuration
        self.transfer = transfer
        self.mailbox = mailbox
        self.logger = logger
        self.isEngineUp = isEngineUp
        records = try BackupRecords(stateDirectory: configuration.stateDirectory)
    }

    /// Makes a backup. While it runs a repeat is ignored; afterwards it is reported again. One that an earlier agent did
    /// not finish is made anew.
    ///
    /// - Throws: `.invalid` for a location outside the object store, `.storage`.
    package func create(_ info: BackupInfo, context: RequestContext) async throws(GuestAgentError) {
        guard Self.isPlain(info.id) else { throw GuestAgentError(.invalid, "a backup's id is letters, digits and '-'") }
        guard running[info.id] == nil else { return }
        if let record = try records.read(info.id), record.state == .completed || record.state == .failed {
            return await report(record, context)
        }
        var record = BackupRecord(
            id: info.id, state: .building, name: "", location: info.location, type: info.type)
        record.name = try transfer.name(info)
        try records.write(record)
        let previous = last
        let task = Task {
            await previous?.value
            await self.run(info, record, context)
        }
        running[info.id] = task
        last = task
        await report(record, context)
    }

    /// Takes up what an earlier agent left: outcomes that were not delivered are reported, what it did not finish is
    /// reported as failed after `grace`, unless it is asked for again until then.
    package func resume(grace: Duration) async {
        var interrupted: [BackupRecord] = []
        for var record in records.all() {
            switch record.state {
            case .completed, .failed: if !record.isReported { await report(record, nil) }
            case .building, .interrupted:
                if record.state == .interrupted, record.isReported { continue }
                record.state = .interrupted
                record.message = "the guest agent ended before the backup was complete"
                try? records.write(record)
                interrupted.append(record)
            }
        }
        guard !interrupted.isEmpty else { return }
        let left = interrupted
        Task {
            try? await Task.sleep(for: grace)
            for record in left { await self.giveUp(record) }
        }
    }

    /// Stops what runs; the next agent finds it unfinished.
    package func release() {
        isReleased = true
        for task in running.values { task.cancel() }
    }

    private func giveUp(_ record: BackupRecord) async {
        guard running[record.id] == nil, !isReleased, (try? records.read(record.id))?.state == .interrupted else {
            return
        }
        let (store, name) = (transfer.store, record.name)
        try? await OwnThread.run("backup-discard") { try store.delete(name) }
        logger.warning("an interrupted backup is given up", metadata: ["backup.id": "\(record.id)"])
        await report(record, nil)
    }

    private func run(_ info: BackupInfo, _ begun: BackupRecord, _ context: RequestContext) async {
        var record = begun
        do {
            guard await isEngineUp() else { throw GuestAgentError(.notReady, "the database is not running") }
            let outcome = try await transfer.run(info, context: context)
            record.state = .completed
            record.sizeBytes = outcome.seal.plainBytes
            record.checksum = outcome.seal.sha256
            record.position = outcome.position
            logger.notice(
                "a backup is complete",
                metadata: ["backup.id": "\(info.id)", "bytes": "\(outcome.seal.plainBytes)"])
        } catch {
            record.state = .failed
            record.message = "\(error)"
            logger.error("a backup failed", metadata: ["backup.id": "\(info.id)", "error": "\(error)"])
        }
        running[info.id] = nil
        // An agent that ends leaves it as unfinished, unless it got done in time.
        guard !isReleased || record.state == .completed else { return }
        record.changed = SystemWallClock().now
        do {
            try records.write(record)
        } catch {
            logger.error("a backup's outcome could not be written down", metadata: ["error": "\(error)"])
        }
        await report(record, context)
    }

    private func report(_ record: BackupRecord, _ context: RequestContext?) async {
        let isFinal = record.state != .building
        await mailbox.post(.backup(record.report(instanceID: configuration.instanceID)), context: context) {
            if isFinal { await self.delivered(record) }
        }
    }

    private func delivered(_ record: BackupRecord) {
        guard var current = try? records.read(record.id), current.state == record.state else { return }
        current.isReported = true
        try? records.write(current)
    }

    private static func isPlain(_ id: String) -> Bool {
        !id.isEmpty && id.utf8.count <= 64
            && id.utf8.allSatisfy {
                (0x30...0x39).contains($0) || (0x41...0x5A).contains($0) || (0x61...0x7A).contains($0) || $0 == 0x2D
            }
    }
}
