// SPDX-License-Identifier: Apache-2.0

import Model
import StateStore

/// `POST /backups` → 202, the backup in NEW. Source: REST contract §8.
enum CreateBackup {
    private static let schema = Schema.object(
        [
            "backup": .object(
                [
                    "name": .nonEmptyText, "instance": .uuid, "description": .nonEmptyText, "parent_id": .uuid,
                    "incremental": .zeroOrOne, "swift_container": .nonEmptyText,
                    "restore_from": .object(
                        [
                            "remote_location": .nonEmptyText, "local_datastore_version_id": .uuid, "size": .number,
                        ],
                        required: ["remote_location", "local_datastore_version_id", "size"]
                    ),
                ],
                required: ["name"]
            )
        ],
        required: ["backup"]
    )

    @Sendable static func handle(_ call: APICall) async throws -> APIResponse {
        try call.require("backup:create")
        let body = try await call.body()
        try schema.validate(body)
        let request = body["backup"] ?? [:]
        try refuseUnsupported(request)
        guard let instanceID = request["instance"]?.stringValue else {
            throw APIFault(400, "instance is missing.")
        }
        let backup = try await call.services.store.write(.durable) { transaction in
            try insert(request, instanceID: instanceID, call, transaction)
        }
        await call.wakeTaskManager()
        return BackupView.document(202, backup)
    }

    private static func refuseUnsupported(_ request: JSONValue) throws(APIFault) {
        if request["restore_from"] != nil {
            throw APIFault.unsupported("Backups from elsewhere ('restore_from') are not supported.")
        }
        if request["swift_container"] != nil {
            throw APIFault.unsupported("Choosing where backups are kept ('swift_container') is not supported.")
        }
        if let driver = request["storage_driver"], !driver.isNull {
            throw APIFault.unsupported("Choosing a storage driver ('storage_driver') is not supported.")
        }
    }

    /// Checks, row and journal in one transaction: two requests cannot both find the instance available.
    private static func insert(
        _ request: JSONValue, instanceID: String, _ call: APICall, _ transaction: any StateTransaction
    ) throws -> BackupRecord {
        let summary = try call.instance(instanceID, rule: "backup:create", transaction)
        let instance = summary.instance
        guard let strategy = try strategy(of: instance, transaction) else {
            throw APIFault(
                .datastoreOperationNotSupported,
                "The 'backup_create' operation is not supported for the '\(summary.datastoreName)' datastore."
            )
        }
        try APICall.requireAvailable(summary)
        let parent = try parent(request, of: instance, call, transaction)
        var wanted = QuotaUsage()
        wanted.backups = 1
        try QuotaLimits.admit(
            wanted, projectID: instance.projectID, configuration: call.configuration, transaction
        )
        var backup = BackupRecord(
            id: call.services.random.uuid(), name: request["name"]?.stringValue ?? "",
            description: request["description"]?.stringValue, projectID: instance.projectID, instanceID: instanceID,
            parentID: parent?.id, backupType: strategy, datastoreVersionID: instance.datastoreVersionID,
            created: call.now
        )
        try transaction.backups.insert(backup)
        try transaction.journal.insert(
            call.journal(
                .createBackup, resourceID: backup.id, projectID: instance.projectID,
                [
                    "backup_id": .string(backup.id), "instance_id": .string(instanceID),
                    "parent_id": .optional(parent?.id),
                ]
            )
        )
        backup.datastoreName = summary.datastoreName
        backup.datastoreVersionName = summary.datastoreVersionName
        return backup
    }

    /// The strategy's plugin id, without a version: what was pinned when the instance was made, else the version's.
    private static func strategy(of instance: InstanceRecord, _ transaction: any StateTransaction) throws -> String? {
        let version = try transaction.datastores.version(instance.datastoreVersionID)
        let reference = instance.plugins["backup"]?.stringValue ?? version?.plugins["backup"]?.stringValue
        return reference?.split(separator: "@").first.map(String.init)
    }

    /// The named parent; with `incremental` alone the instance's newest completed backup, or none (then it is full).
    private static func parent(
        _ request: JSONValue, of instance: InstanceRecord, _ call: APICall, _ transaction: any StateTransaction
    ) throws -> BackupRecord? {
        guard let parentID = request["parent_id"]?.stringValue else {
            guard request["incremental"]?.intValue == 1 else { return nil }
            return try transaction.backups.page(
                projectID: instance.projectID, instanceID: instance.id, datastoreID: nil, offset: 0, limit: 1000
            ).first { $0.state == .completed && $0.datastoreVersionID == instance.datastoreVersionID }
        }
        let parent = try call.backup(parentID, rule: "backup:show", transaction)
        guard parent.instanceID == instance.id else {
            throw APIFault(
                .backupCreation, "Backup \(parentID) is of another instance and cannot be the parent of this one."
            )
        }
        guard parent.state == .completed else {
            throw APIFault(
                .backupNotComplete,
                "Unable to create a backup because its parent \(parentID) is not completed. Actual state:"
                    + " \(parent.state.rawValue)."
            )
        }
        return parent
    }
}
