// SPDX-License-Identifier: Apache-2.0

import Model
import Notifications
import PluginHost
import StateStore

/// `POST /backups` → 202, the backup in NEW, or in RESTORED with `restore_from`. Source: REST contract §8.
enum CreateBackup {
    static let schema = Schema.object(
        [
            "backup": .object(
                [
                    "name": .nonEmptyText, "instance": .uuid, "description": .nonEmptyText, "parent_id": .uuid,
                    "incremental": .zeroOrOne, "swift_container": .nonEmptyText,
                    "restore_from": AdoptBackup.schema,
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
        if request["restore_from"] != nil { return try await AdoptBackup(call, request).handle() }
        guard let instanceID = request["instance"]?.stringValue else {
            throw APIFault(400, "instance is missing.")
        }
        let traits: [String: JSONValue] = [
            "name": request["name"] ?? .null, "instance_id": .string(instanceID),
            "description": request["description"] ?? .null, "parent_id": request["parent_id"] ?? .null,
        ]
        let plugins = await call.services.plugins.plugins
        let backup = try await call.announcing(.backupCreate, traits) { announcement in
            try await call.services.store.write(.durable) { transaction in
                try insert(request, instanceID: instanceID, plugins, call, announcement, transaction)
            }
        }
        await call.wakeTaskManager()
        return BackupView.document(202, backup)
    }

    private static func refuseUnsupported(_ request: JSONValue) throws(APIFault) {
        if let driver = request["storage_driver"], !driver.isNull {
            throw APIFault.unsupported("Choosing a storage driver ('storage_driver') is not supported.")
        }
    }

    /// Checks, row and journal in one transaction: two requests cannot both find the instance available.
    private static func insert(
        _ request: JSONValue, instanceID: String, _ plugins: [PluginDescription], _ call: APICall,
        _ announcement: Announcement, _ transaction: any StateTransaction
    ) throws -> BackupRecord {
        let summary = try call.instance(instanceID, rule: "backup:create", transaction)
        let instance = summary.instance
        guard let strategy = try strategy(of: instance, transaction) else {
            throw APIFault(
                .datastoreOperationNotSupported,
                "The 'backup_create' operation is not supported for the '\(summary.datastoreName)' datastore."
            )
        }
        try APICall.refuseMember(summary)
        try APICall.requireAvailable(summary)
        let parent = try BackupParent(
            call: call, instance: instance, strategy: strategy,
            makesIncrements: plugins.contains { $0.isNamed(strategy.description) && $0.makesIncrements }
        ).choose(request, transaction)
        let container = try BackupContainer.of(request, instance: instance, transaction)
        var wanted = QuotaUsage()
        wanted.backups = 1
        try QuotaLimits.admit(
            wanted, projectID: instance.projectID, configuration: call.configuration, transaction
        )
        var backup = BackupRecord(
            id: call.services.random.uuid(), name: request["name"]?.stringValue ?? "",
            description: request["description"]?.stringValue, projectID: instance.projectID, instanceID: instanceID,
            parentID: parent?.id, backupType: strategy.id, datastoreVersionID: instance.datastoreVersionID,
            created: call.now
        )
        backup.container = container
        try transaction.backups.insert(backup)
        var input: [String: JSONValue] = [
            "backup_id": .string(backup.id), "instance_id": .string(instanceID), "parent_id": .optional(parent?.id),
        ]
        if let container { input["container"] = .string(container) }
        try announcement.insert(
            call.journal(
                .createBackup, resourceID: backup.id, projectID: instance.projectID, host: instance.computeHost,
                .object(input)
            ),
            adding: ["parent_id": .optional(parent?.id)], transaction
        )
        backup.datastoreName = summary.datastoreName
        backup.datastoreVersionName = summary.datastoreVersionName
        return backup
    }

    /// The strategy's plugin: what was pinned when the instance was made, else the version's.
    private static func strategy(
        of instance: InstanceRecord, _ transaction: any StateTransaction
    ) throws -> PluginReference? {
        let version = try transaction.datastores.version(instance.datastoreVersionID)
        let reference = instance.plugins["backup"]?.stringValue ?? version?.plugins["backup"]?.stringValue
        return reference.map { PluginReference($0) }
    }
}
