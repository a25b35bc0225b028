// SPDX-License-Identifier: Apache-2.0

package import Model
package import StateStore

/// Removes a backup and the increments that need it, newest first.
package struct DeleteBackupFlow: Flow {
    package static let name = FlowName.deleteBackup

    package init() {}

    /// As for instances, a delete is never given up.
    package var maximumAttempts: Int? { nil }

    package var steps: [FlowStep] {
        [FlowStep("object", deadline: .seconds(600), run: Self.deleteObjects)]
    }

    package func finish(_ run: FlowRun, _ transaction: any StateTransaction, now: Timestamp) throws {
        for backup in try Self.family(run.record.resourceID, transaction) {
            try transaction.ledger.strike(ownerID: backup.id, kinds: ["object"])
            try transaction.backups.markDeleted(backup.id, now: now)
        }
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
        let backups = try await run.services.store.read { try family(id, $0) }
        for backup in backups {
            try await BackupObjects(run.services).delete(BackupObjects.name(backup))
        }
    }

    /// The backup's descendants, deepest first, and the backup itself last.
    private static func family(_ id: String, _ transaction: any StateTransaction) throws -> [BackupRecord] {
        guard let backup = try transaction.backups.find(id) else { return [] }
        return try transaction.backups.children(of: id).flatMap { try family($0.id, transaction) } + [backup]
    }
}
