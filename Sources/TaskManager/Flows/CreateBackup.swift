// SPDX-License-Identifier: Apache-2.0

import Calls
package import Model
import ObjectStore
package import StateStore

/// Backs an instance up: the guest streams, seals and stores; this flow gives it a key and waits.
///
/// Each time the guest is asked, it is given a key of its own: a guest that is at it already ignores the repeat, and one that
/// begins anew must not seal a second stream with the first one's key. The key that was used is in the object's header,
/// wrapped.
package struct CreateBackupFlow: Flow {
    package static let name = FlowName.createBackup

    package init() {}

    /// How long a broker that is away is waited for.
    private static let busPatience = Duration.seconds(3600)

    package var steps: [FlowStep] {
        [
            FlowStep(
                "stream", deadline: Self.busPatience + .seconds(86_400 + 60), ledger: { try Self.entries($0) },
                run: Self.stream)
        ]
    }

    package func finish(_ run: FlowRun, _ transaction: any StateTransaction, now: Timestamp) throws {}

    package func undo(_ run: FlowRun, step: FlowStep) async throws {
        let objects = BackupObjects(run.services)
        try await objects.delete(try Self.objectName(run))
    }

    package func fail(
        _ run: FlowRun, step: FlowStep, message: String, _ transaction: any StateTransaction, now: Timestamp
    ) throws {
        let id = run.record.resourceID
        try transaction.backups.update(
            id, state: .failed, sizeBytes: nil, checksum: nil, location: nil, position: nil, now: now
        )
    }

    // MARK: Steps

    private static func entries(_ run: FlowRun) throws -> [LedgerEntry] {
        let id = try run.inputText("backup_id")
        return run.ledgerEntries([("object", try objectName(run))], owner: id)
    }

    private static func objectName(_ run: FlowRun) throws -> String {
        BackupObjects.name(
            projectID: run.record.projectID, container: run.record.input["container"]?.stringValue,
            backupID: try run.inputText("backup_id"))
    }

    private static func stream(_ run: FlowRun) async throws {
        let (backupID, instanceID) = (try run.inputText("backup_id"), try run.inputText("instance_id"))
        guard let backup = try await run.services.store.read({ try $0.backups.find(backupID) }) else {
            throw FlowError("Backup \(backupID) does not exist any more.")
        }
        let (guests, context, objects) = (run.services.guests, run.context, BackupObjects(run.services))
        let send: @Sendable () async throws -> Void = {
            let info = try await objects.backupInfo(backup, instanceID: instanceID)
            try await guests.createBackup(instanceID, info, context: context)
        }
        try await BusPatience.run(run, for: busPatience, send)
        let isComplete = try await GuestWait.backup(
            run, backupID: backupID, instanceID: instanceID,
            deadline: .after(run.services.configuration.backupTimeout), resend: send
        )
        guard isComplete else { throw FlowError("The guest could not finish the backup; its log has the reason.") }
    }
}
