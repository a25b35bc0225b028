// SPDX-License-Identifier: Apache-2.0

import Model
import Notifications
import PluginHost
import StateStore

/// `POST /backups` with `restore_from`: a row for an object that is in the store already, in RESTORED at once.
///
/// The object is one of the project's own: its row was lost, or another control plane with the same store and keys made it.
/// Nothing is copied; the row's location is the object's, which stays when the row is deleted. Source: REST contract §8.
struct AdoptBackup {
    static let schema = Schema.object(
        [
            "remote_location": .nonEmptyText, "local_datastore_version_id": .uuid, "size": .number,
        ],
        required: ["remote_location", "local_datastore_version_id", "size"]
    )

    private let call: APICall
    private let request: JSONValue
    private let versionID: String
    private let sizeBytes: Int64

    /// What a size in GB can be: bytes fit 63 bits.
    private static let sizes = 0.0...1_000_000_000

    /// - Throws: 400 for a size that cannot be one.
    init(_ call: APICall, _ request: JSONValue) throws {
        self.call = call
        self.request = request
        let source = request["restore_from"] ?? [:]
        versionID = source["local_datastore_version_id"]?.stringValue ?? ""
        guard let size = source["size"]?.doubleValue, Self.sizes.contains(size) else {
            throw APIFault(400, "Validation error: backup['restore_from']['size'] must be a number of GB, 0 or more.")
        }
        sizeBytes = Int64((size * 1_073_741_824).rounded())
    }

    func handle() async throws -> APIResponse {
        let remote = request["restore_from"]?["remote_location"]?.stringValue ?? ""
        let traits: [String: JSONValue] = [
            "name": request["name"] ?? .null, "instance_id": .null, "description": request["description"] ?? .null,
            "parent_id": request["parent_id"] ?? .null,
        ]
        let backup = try await call.announcing(.backupCreate, traits) { announcement in
            let location: String
            do throws(SealedBackupRefusal) {
                location = try await call.services.sealed.find(remote, project: call.context.projectID)
            } catch {
                throw APIFault(400, "Failed to restore backup from \(remote): \(error.rawValue).")
            }
            return try await call.services.store.write(.durable) { transaction in
                let backup = try insert(location, transaction)
                try announcement.complete(transaction)
                return backup
            }
        }
        return BackupView.document(202, backup)
    }

    private func insert(_ location: String, _ transaction: any StateTransaction) throws -> BackupRecord {
        guard let version = try transaction.datastores.version(versionID),
            let datastore = try transaction.datastores.all().first(where: { $0.id == version.datastoreID })
        else {
            throw APIFault(.datastoreVersionNotFound, "Datastore version '\(versionID)' cannot be found.")
        }
        guard let strategy = version.plugins["backup"]?.stringValue.map({ PluginReference($0).id }) else {
            throw APIFault(
                .datastoreOperationNotSupported,
                "The 'backup_create' operation is not supported for the '\(datastore.name)' datastore.")
        }
        let parent = try parent(strategy, transaction)
        var wanted = QuotaUsage()
        wanted.backups = 1
        try QuotaLimits.admit(
            wanted, projectID: call.context.projectID, configuration: call.configuration, transaction)
        var backup = BackupRecord(
            id: call.services.random.uuid(), name: request["name"]?.stringValue ?? "",
            description: request["description"]?.stringValue, projectID: call.context.projectID, instanceID: nil,
            parentID: parent?.id, state: .restored, backupType: strategy, datastoreVersionID: version.id,
            created: call.now)
        backup.location = location
        backup.sizeBytes = sizeBytes
        try transaction.backups.insert(backup)
        backup.datastoreName = datastore.name
        backup.datastoreVersionName = version.name
        return backup
    }

    /// An object that is an increment is of use with what it adds to; whether it does, its restore finds out.
    private func parent(_ strategy: String, _ transaction: any StateTransaction) throws -> BackupRecord? {
        guard let parentID = request["parent_id"]?.stringValue else { return nil }
        let parent = try call.backup(parentID, rule: "backup:show", transaction)
        guard parent.projectID == call.context.projectID else { throw APIFault.missing(parentID) }
        guard parent.state.isUsable else {
            throw APIFault(
                .backupNotComplete,
                "Unable to create a backup because its parent \(parentID) is not completed. Actual state:"
                    + " \(parent.state.rawValue).")
        }
        guard parent.backupType.map({ PluginReference($0).id }) == strategy, parent.datastoreVersionID == versionID
        else {
            throw APIFault(
                .backupCreation,
                "Backup \(parentID) cannot be a parent: it is of another datastore version or backup strategy.")
        }
        return parent
    }
}
