// SPDX-License-Identifier: Apache-2.0

import Model
import StateStore

/// `/modules`. Source: REST contract §12.
enum ModuleRoutes {
    static let routes: [Route<CoreRoute>] = [
        Route(
            "GET", "/modules",
            RouteDescription(
                "list_modules", "Modules of the project and those of every project; for administrators all.",
                rule: "module:index",
                query: [
                    QueryParameter("datastore", "Those for this datastore, by id or name; 'all': those of every one.")
                ],
                answer: .document("modules", .array(of: .module))), list),
        Route(
            "POST", "/modules",
            RouteDescription(
                "create_module", "Makes a module.", rule: "module:create", body: ModuleRequest.createSchema,
                answer: .document("module", .module), faults: [403]), create),
        Route(
            "GET", "/modules/{id}",
            RouteDescription("show_module", "One module.", rule: "module:show", answer: .document("module", .module)),
            show),
        Route(
            "PUT", "/modules/{id}",
            RouteDescription(
                "update_module", "Changes a module.", rule: "module:update", body: ModuleRequest.updateSchema,
                answer: .document("module", .module), faults: [403]), update),
        Route(
            "DELETE", "/modules/{id}",
            RouteDescription(
                "delete_module", "Removes a module that no instance has.", rule: "module:delete", faults: [403]), delete
        ),
    ]

    @Sendable private static func list(_ call: APICall) async throws -> APIResponse {
        try call.require("module:index")
        let (isAdmin, projectID) = (call.context.isAdmin, call.context.projectID)
        let wanted = Query(call.request.query)["datastore"].flatMap { $0.isEmpty ? nil : $0 }
        let modules = try await call.services.store.read { transaction in
            var modules = try transaction.modules.all(projectID: isAdmin ? nil : projectID)
            if !isAdmin { modules.removeAll { !$0.isVisible } }
            guard let wanted else { return modules }
            let id = wanted == ModuleRecord.all ? nil : try DatastoreLookup.datastore(wanted, transaction).id
            return modules.filter { $0.datastoreID == id }
        }
        return .json(reserving: 256 + modules.count * 512) { writer in
            writer.object { writer in
                writer.key("modules")
                writer.array { writer in
                    for module in modules { ModuleView.write(module, &writer) }
                }
            }
        }
    }

    @Sendable private static func create(_ call: APICall) async throws -> APIResponse {
        try call.require("module:create")
        let request = try ModuleRequest(try await call.body(), ModuleRequest.createSchema)
        let module = try await call.services.store.write(.durable) { transaction in
            var module = try request.create(call, transaction)
            try request.checkAccess(&module, "create", wasAdmin: false, call)
            try requireOwnName(module, transaction)
            try transaction.modules.insert(module)
            return module
        }
        return ModuleView.document(module, instanceCount: nil)
    }

    @Sendable private static func show(_ call: APICall) async throws -> APIResponse {
        let id = call.parameter(0)
        return try await call.services.store.read { transaction in
            let module = try call.module(id, rule: "module:show", transaction)
            return ModuleView.document(module, instanceCount: try count(id, transaction))
        }
    }

    @Sendable private static func update(_ call: APICall) async throws -> APIResponse {
        let id = call.parameter(0)
        let request = try ModuleRequest(try await call.body(), ModuleRequest.updateSchema)
        let module = try await call.services.store.write(.durable) { transaction in
            let old = try call.module(id, rule: "module:update", isChange: true, transaction)
            var module = old
            try request.change(&module, call, transaction)
            try request.checkAccess(&module, "update", wasAdmin: old.isAdmin, call)
            if isEssential(old, module), !module.isLiveUpdate || !old.isLiveUpdate && !call.context.isAdmin {
                try requireUnused(id, transaction)
            }
            try requireOwnName(module, transaction)
            module.updated = call.now
            try transaction.modules.save(module, now: call.now)
            return module
        }
        return ModuleView.document(module, instanceCount: nil)
    }

    /// 200, empty.
    @Sendable private static func delete(_ call: APICall) async throws -> APIResponse {
        let id = call.parameter(0)
        try await call.services.store.write(.durable) { transaction in
            let module = try call.module(id, rule: "module:delete", isChange: true, transaction)
            try ModuleRequest.requireAdmin(module.isAdmin ? ["Module is an admin module"] : [], "delete", call)
            try requireUnused(id, transaction)
            try transaction.modules.markDeleted(id, now: call.now)
        }
        return APIResponse(status: 200)
    }

    // MARK: Parts

    static func count(_ id: String, _ transaction: any StateTransaction) throws -> Int {
        try transaction.modules.counts(id).reduce(0) { $0 + $1.instances }
    }

    /// What instances that have the module would not have any more.
    private static func isEssential(_ old: ModuleRecord, _ new: ModuleRecord) -> Bool {
        old.md5 != new.md5 || old.type != new.type || old.datastoreID != new.datastoreID
            || old.datastoreVersionID != new.datastoreVersionID
    }

    private static func requireUnused(_ id: String, _ transaction: any StateTransaction) throws {
        guard try count(id, transaction) > 0 else { return }
        throw APIFault(
            .moduleAppliedToInstance,
            "A module cannot be deleted or its contents modified if it has been applied to a non-terminated instance,"
                + " unless the module has been marked as 'live_update.' Please remove the module from all non-terminated"
                + " instances and try again.")
    }

    /// A name is one module's among those of the same type, project, datastore and version.
    private static func requireOwnName(_ module: ModuleRecord, _ transaction: any StateTransaction) throws {
        let twin = try transaction.modules.all(projectID: nil).contains { other in
            other.id != module.id && other.name == module.name && other.type == module.type
                && other.projectID == module.projectID && other.datastoreID == module.datastoreID
                && other.datastoreVersionID == module.datastoreVersionID
        }
        guard twin else { return }
        throw APIFault(
            400,
            "A module with the name '\(module.name)' already exists for datastore"
                + " '\(module.datastoreName ?? ModuleRecord.all)' and datastore version"
                + " '\(module.datastoreVersionName ?? ModuleRecord.all)'")
    }
}

extension APICall {
    /// The live module, or 404 with one text for a missing one and for another project's.
    ///
    /// - Parameter isChange: Modules of every project are seen by all, and changed by administrators.
    func module(
        _ id: String, rule: String, isChange: Bool = false, _ transaction: any StateTransaction
    ) throws -> ModuleRecord {
        guard let module = try transaction.modules.find(id),
            context.isAdmin || module.projectID == context.projectID || module.projectID == nil && module.isVisible
        else { throw APIFault(.notFound, "Module with ID \(id) could not be found.") }
        try require(rule, owner: module.projectID ?? context.projectID)
        if isChange, module.projectID == nil {
            try ModuleRequest.requireAdmin(
                ["Tenant: \(ModuleRecord.all)"], rule.hasSuffix("delete") ? "delete" : "update", self)
        }
        return module
    }
}
