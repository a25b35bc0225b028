// SPDX-License-Identifier: Apache-2.0

import Model
import Notifications
import StateStore

/// `/backups`. Source: REST contract §8.
enum BackupRoutes {
    static let routes: [Route<CoreRoute>] = [
        Route(
            "GET", "/backups",
            RouteDescription(
                "list_backups", "Backups of the project, the newest change first.", rule: "backup:index",
                query: QueryParameter.offsets + [
                    QueryParameter("datastore", "Only of this datastore, by id or name."),
                    QueryParameter("instance_id", "Only of this instance."),
                    QueryParameter("project_id", "For administrators: of this project."),
                    QueryParameter("all_projects", "For administrators: of every project.", .boolean),
                ], answer: .page("backups", of: .backup)), list),
        Route(
            "POST", "/backups",
            RouteDescription(
                "create_backup",
                "Begins a backup of an instance, or takes over one that is in the object store.", rule: "backup:create",
                body: CreateBackup.schema,
                status: 202, answer: .document("backup", .backup), faults: [409, 422, 501]), CreateBackup.handle),
        Route(
            "GET", "/backups/{id}",
            RouteDescription(
                "show_backup", "One backup.", rule: "backup:show", answer: .document("backup", .backup)), show),
        Route(
            "DELETE", "/backups/{id}",
            RouteDescription(
                "delete_backup", "Removes a backup and the increments that need it.", rule: "backup:delete",
                status: 202, faults: [422]), delete),
    ]

    /// The contract has no largest page here; this one keeps an answer's size within reason.
    private static let maximumPage = 1000

    /// `{"backups": […], "links"?}`; other projects' only for administrators who ask.
    @Sendable private static func list(_ call: APICall) async throws -> APIResponse {
        try call.require("backup:index")
        let query = Query(call.request.query)
        var projectID: String? = call.context.projectID
        if query["project_id"] != nil || query.isTrue("all_projects") {
            try call.require("backup:index:all_projects")
            projectID = query["project_id"]
        }
        let project = projectID
        return try await page(call, query, instanceID: query["instance_id"]) { _ in project }
    }

    @Sendable static func listOfInstance(_ call: APICall) async throws -> APIResponse {
        let id = call.parameter(0)
        return try await page(call, Query(call.request.query), instanceID: id) { transaction in
            try call.instance(id, rule: "instance:backups", transaction).instance.projectID
        }
    }

    /// `{"backup": {…}}`
    @Sendable private static func show(_ call: APICall) async throws -> APIResponse {
        let id = call.parameter(0)
        let backup = try await call.services.store.read { try call.backup(id, rule: "backup:show", $0) }
        return BackupView.document(200, backup)
    }

    /// 202, empty; the increments of a backup go with it.
    @Sendable private static func delete(_ call: APICall) async throws -> APIResponse {
        let id = call.parameter(0)
        let isNew = try await call.announcing(.backupDelete, ["backup_id": .string(id)]) { announcement in
            try await call.services.store.write(.durable) { try delete(id, call, announcement, $0) }
        }
        if isNew { await call.wakeTaskManager() }
        return .accepted
    }

    /// Whether a flow was asked for; a second delete changes nothing.
    private static func delete(
        _ id: String, _ call: APICall, _ announcement: Announcement, _ transaction: any StateTransaction
    ) throws -> Bool {
        let backup = try call.backup(id, rule: "backup:delete", transaction)
        try refuseRunning(backup, transaction)
        let live = try transaction.journal.live(resourceID: id)
        guard !live.contains(where: { $0.flow == FlowName.deleteBackup.rawValue }) else { return false }
        let instance = try backup.instanceID.flatMap { try transaction.instances.find($0) }
        try announcement.insert(
            call.journal(
                .deleteBackup, resourceID: id, projectID: backup.projectID, host: instance?.computeHost,
                ["backup_id": .string(id)]
            ),
            transaction
        )
        return true
    }

    private static func refuseRunning(_ backup: BackupRecord, _ transaction: any StateTransaction) throws {
        guard !backup.state.isRunning else {
            throw APIFault(
                .unprocessableEntity, "Backup \(backup.id) cannot be deleted because it is running."
            )
        }
        for child in try transaction.backups.children(of: backup.id) { try refuseRunning(child, transaction) }
    }

    /// - Parameter projectID: Whose backups, found out where they are read; nil is everybody's.
    private static func page(
        _ call: APICall, _ query: Query, instanceID: String?,
        projectID: @Sendable @escaping (any StateTransaction) throws -> String?
    ) async throws -> APIResponse {
        let limit = try Page.limit(query, standard: call.configuration.pageSize, maximum: maximumPage)
        let offset = try Page.offset(query)
        let datastore = query["datastore"]
        // Written where it was read: what a row is made of is let go by the thread that made it.
        return try await call.services.store.read { transaction in
            let owner = try projectID(transaction)
            let datastoreID = try datastore.map { try DatastoreLookup.datastore($0, transaction).id }
            let backups = try transaction.backups.page(
                projectID: owner, instanceID: instanceID, datastoreID: datastoreID, offset: offset, limit: limit)
            return .json(reserving: 256 + backups.count * 640) { writer in
                writer.object { writer in
                    writer.key("backups")
                    writer.array { writer in
                        for backup in backups { BackupView.write(backup, &writer) }
                    }
                    // A full page names a next one, which may turn out empty.
                    if backups.count == limit { call.writeNextLink(&writer, query, marker: String(offset + limit)) }
                }
            }
        }
    }
}

extension APICall {
    /// The live backup, or 404 with one text for a missing one and for another project's.
    func backup(_ id: String, rule: String, _ transaction: any StateTransaction) throws -> BackupRecord {
        guard let backup = try transaction.backups.find(id),
            context.isAdmin || backup.projectID == context.projectID
        else { throw APIFault.missing(id) }
        try require(rule, owner: backup.projectID)
        return backup
    }
}
