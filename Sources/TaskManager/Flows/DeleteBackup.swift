// SPDX-License-Identifier: Apache-2.0

package import Model
package import StateStore

/// Removes a backup and the increments that need it, newest first.
///
/// Each goes by itself, object and row, before the one that it adds to: whatever is left when this is interrupted can be
/// restored.
package struct DeleteBackupFlow: Flow {
    package static let name = FlowName.deleteBackup

    package init() {}

    /// As for instances, a delete is never given up.
    package var maximumAttempts: Int? { nil }

    package var steps: [FlowStep] {
        [FlowStep("object", deadline: .seconds(3600), run: Self.deleteObjects)]
    }

    package func finish(_ run: FlowRun, _ transaction: any StateTransaction, now: Timestamp) throws {
        guard let backup = try transaction.backups.find(run.record.resourceID) else { return }
        try Self.forget(backup, transaction, now: now)
    }

    package func fail(
        _ run: FlowRun, step: FlowStep, message: String, _ transaction: any StateTransaction, now: Timestamp
    ) throws {
        try transaction.backups.update(
            run.record.resourceID, state: .deleteFailed, sizeBytes: nil, checksum: nil, location: nil, position: nil,
            now: now
        )
    }

    private static func deleteObjects(_ run: FlowRun) async throws {
        let id = try run.inputText("backup_id")
        let clock = run.services.clock
        for backup in try await run.services.store.read({ try $0.backups.descendants(of: id) }) {
            try await delete(backup, run)
            try await run.services.store.write(.durable) { try forget(backup, $0, now: clock.now) }
        }
        guard let backup = try await run.services.store.read({ try $0.backups.find(id) }) else { return }
        try await delete(backup, run)
    }

    /// An object that was only taken over is somebody else's: it stays.
    private static func delete(_ backup: BackupRecord, _ run: FlowRun) async throws {
        guard backup.state != .restored else { return }
        try await BackupObjects(run.services).delete(BackupObjects.name(backup))
    }

    private static func forget(_ backup: BackupRecord, _ transaction: any StateTransaction, now: Timestamp) throws {
        try transaction.ledger.strike(ownerID: backup.id, kinds: ["object"])
        try transaction.backups.markDeleted(backup.id, now: now)
    }
}
