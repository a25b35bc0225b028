// SPDX-License-Identifier: Apache-2.0

import Model
import PluginHost
import StateStore

/// Which backup a new one of an instance adds to. Source: REST contract §8.
struct BackupParent {
    /// Backups that a restore unpacks one after the other, at most; with the next one a new full backup begins.
    static let longestChain = 100

    let call: APICall
    let instance: InstanceRecord
    /// The strategy's plugin, as the instance names it.
    let strategy: PluginReference
    /// Whether the strategy makes increments.
    let makesIncrements: Bool

    /// - Returns: nil for a full backup: when one is asked for, and when the instance has none that could be added to.
    /// - Throws: 404 and 400 for a `parent_id` that can be none; 409 while it is not complete; 422 when it is being deleted.
    func choose(_ request: JSONValue, _ transaction: any StateTransaction) throws -> BackupRecord? {
        if let parentID = request["parent_id"]?.stringValue {
            let parent = try call.backup(parentID, rule: "backup:show", transaction)
            if let fault = try objection(parent, transaction) { throw fault }
            return parent
        }
        guard request["incremental"]?.intValue == 1, makesIncrements,
            let last = try lastCompleted(transaction), try objection(last, transaction) == nil
        else { return nil }
        return last
    }

    private func lastCompleted(_ transaction: any StateTransaction) throws -> BackupRecord? {
        let size = 50
        var offset = 0
        while true {
            let page = try transaction.backups.page(
                projectID: nil, instanceID: instance.id, datastoreID: nil, offset: offset, limit: size)
            if let found = page.first(where: { $0.state == .completed }) { return found }
            guard page.count == size else { return nil }
            offset += size
        }
    }

    /// Why nothing can be added to the backup.
    private func objection(_ parent: BackupRecord, _ transaction: any StateTransaction) throws -> APIFault? {
        let id = parent.id
        guard parent.instanceID == instance.id else {
            return APIFault(
                .backupCreation, "Backup \(id) is of another instance and cannot be the parent of this one.")
        }
        guard parent.state == .completed else {
            return APIFault(
                .backupNotComplete,
                "Unable to create a backup because its parent \(id) is not completed. Actual state:"
                    + " \(parent.state.rawValue)."
            )
        }
        guard makesIncrements else {
            return APIFault(
                .backupCreation,
                "Backup \(id) cannot be a parent: the strategy '\(strategy.id)' makes full backups only. Leave"
                    + " 'parent_id' out."
            )
        }
        guard parent.backupType.map({ PluginReference($0).id }) == strategy.id else {
            return refusal(id, "the strategy '\(parent.backupType ?? "")' made it, and '\(strategy.id)' makes this one")
        }
        guard parent.datastoreVersionID == instance.datastoreVersionID else {
            return refusal(id, "it is of another datastore version than the instance has now")
        }
        guard parent.position != nil else { return refusal(id, "where it ends is not known") }
        return try chainObjection(parent, transaction)
    }

    private func chainObjection(_ parent: BackupRecord, _ transaction: any StateTransaction) throws -> APIFault? {
        let chain = try transaction.backups.chain(of: parent)
        guard chain.count < Self.longestChain else {
            return refusal(parent.id, "\(chain.count) backups in a row add to one another already")
        }
        for element in chain {
            let live = try transaction.journal.live(resourceID: element.id)
            guard !live.contains(where: { $0.flow == FlowName.deleteBackup.rawValue }) else {
                return APIFault(
                    .unprocessableEntity, "Backup \(parent.id) cannot be a parent: it is being deleted.")
            }
        }
        return nil
    }

    private func refusal(_ id: String, _ reason: String) -> APIFault {
        APIFault(
            .backupCreation, "Backup \(id) cannot be a parent: \(reason). Leave 'parent_id' out for a full backup.")
    }
}
