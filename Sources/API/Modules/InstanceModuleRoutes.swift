// SPDX-License-Identifier: Apache-2.0

import Calls
import Messaging
import Model
import StateStore

/// `/instances/{id}/modules`: what the instance's guest has, gets and gives away. Source: REST contract §12.
enum InstanceModuleRoutes {
    static let routes: [Route<CoreRoute>] = [
        Route(
            "GET", "/instances/{id}/modules",
            RouteDescription(
                "list_instance_modules", "Modules that were applied to an instance, as its guest tells.",
                rule: "instance:module_list",
                query: [
                    QueryParameter("from_guest", "Always so."),
                    QueryParameter("include_contents", "Any value: with the contents, in Base64."),
                ],
                answer: .document("modules", .array(of: .moduleResult)), faults: [422]), list),
        Route(
            "POST", "/instances/{id}/modules",
            RouteDescription(
                "apply_modules", "Applies modules to an instance.", rule: "instance:module_apply", body: schema,
                answer: .document("modules", .array(of: .moduleResult)), faults: [403, 422]), apply),
        Route(
            "DELETE", "/instances/{id}/modules/{module}",
            RouteDescription(
                "remove_module", "Takes a module away from an instance.", rule: "instance:module_remove",
                faults: [403, 422]), remove),
    ]

    private static let schema = Schema.object(
        ["modules": .array(of: .object(["id": .uuid], required: ["id"]))], required: ["modules"])

    @Sendable private static func list(_ call: APICall) async throws -> APIResponse {
        let id = call.parameter(0)
        _ = try await instance("instance:module_list", call)
        let isFull = Query(call.request.query)["include_contents"].map { !$0.isEmpty } ?? false
        let modules = try await call.services.callGuest(
            id, .moduleList, ["include_contents": .bool(isFull)], context: call.context)
        let isAdmin = call.context.isAdmin
        let shown = (modules.arrayValue ?? []).filter { isAdmin || $0["visible"]?.boolValue ?? true }
        return .json { writer in writer.value(["modules": .array(shown)]) }
    }

    /// What succeeded is recorded; the answer says of each module whether it did.
    @Sendable private static func apply(_ call: APICall) async throws -> APIResponse {
        let body = try await call.body()
        try schema.validate(body)
        let ids = (body["modules"]?.arrayValue ?? []).compactMap { $0["id"]?.stringValue }
        let summary = try await instance("instance:module_apply", call)
        let modules = try await call.services.store.read { transaction in
            try applicable(ids, to: summary.instance, call, transaction)
        }
        let results = try await call.services.callGuest(
            summary.instance.id, .moduleApply, ["modules": .array(modules.map(\.request))], context: call.context)
        let items = results.arrayValue ?? []
        let applied = Set(items.filter { $0["status"] == "OK" }.compactMap { $0["id"]?.stringValue })
        let (instanceID, now) = (summary.instance.id, call.now)
        try await call.services.store.write(.durable) { transaction in
            guard try transaction.instances.find(instanceID) != nil else { return }
            for module in modules where applied.contains(module.id) {
                try transaction.modules.put(module.id, instanceID: instanceID, md5: module.md5, now: now)
            }
        }
        return .json { writer in writer.value(["modules": .array(items)]) }
    }

    /// 200, empty.
    @Sendable private static func remove(_ call: APICall) async throws -> APIResponse {
        let (id, moduleID) = (call.parameter(0), call.parameter(1))
        _ = try await instance("instance:module_remove", call)
        let module = try await call.services.store.read { transaction in
            let module = try call.module(moduleID, rule: "instance:module_remove", transaction)
            try ModuleRequest.requireAdmin(module.isAdmin ? ["Module is an admin module"] : [], "remove", call)
            return module
        }
        _ = try await call.services.callGuest(id, .moduleRemove, ["module": module.request], context: call.context)
        try await call.services.store.write(.durable) { try $0.modules.remove(moduleID, instanceID: id) }
        return APIResponse(status: 200)
    }

    /// The modules of these ids as the caller may apply them, in the order in which they are to be. Throws 404, 400.
    static func applicable(
        _ ids: [String], to instance: InstanceRecord, _ call: APICall, _ transaction: any StateTransaction
    ) throws -> [ModuleRecord] {
        guard !ids.isEmpty else { return [] }
        guard let version = try transaction.datastores.version(instance.datastoreVersionID) else {
            throw APIFault(.modelNotFound, "DBDatastoreVersion Not Found")
        }
        var found: [ModuleRecord] = []
        for id in ids where !found.contains(where: { $0.id == id }) {
            let module = try call.module(id, rule: "instance:module_apply", transaction)
            guard call.configuration.moduleTypes.contains(module.type) else {
                throw APIFault(.moduleTypeNotFound, "Module type '\(module.type)' was not found.")
            }
            guard
                module.fits(
                    projectID: instance.projectID, datastoreID: version.datastoreID, versionID: version.id)
            else {
                throw APIFault(
                    400,
                    "Module '\(module.name)' is for datastore '\(module.datastoreName ?? ModuleRecord.all)', version"
                        + " '\(module.datastoreVersionName ?? ModuleRecord.all)', and project"
                        + " '\(module.projectID ?? ModuleRecord.all)': instance \(instance.id) is another one's.")
            }
            found.append(module)
        }
        return found.sorted(by: ModuleRecord.precedes)
    }

    /// The instance, if its guest can be asked. Throws 404, 403, 422.
    private static func instance(_ rule: String, _ call: APICall) async throws -> InstanceSummary {
        let id = call.parameter(0)
        let summary = try await call.services.store.read { try call.instance(id, rule: rule, $0) }
        guard summary.instance.serverStatus == .active, summary.instance.task != .building else {
            throw APIFault(.unprocessableEntity, "Instance \(id) is not ready.")
        }
        return summary
    }
}
