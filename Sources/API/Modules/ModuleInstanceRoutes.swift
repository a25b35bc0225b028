// SPDX-License-Identifier: Apache-2.0

import Model
import StateStore

/// `/modules/{id}/instances`: who has a module, and giving all of them its contents anew. Source: REST contract §12.
enum ModuleInstanceRoutes {
    static let routes: [Route<CoreRoute>] = [
        Route(
            "GET", "/modules/{id}/instances",
            RouteDescription(
                "list_module_instances", "Instances that have the module, or how many have which contents of it.",
                rule: "module:instances",
                query: QueryParameter.pages + [
                    .includeClustered, QueryParameter("count_only", "true: counts by contents.", .boolean),
                ],
                answer: .page("instances", of: .object([:]))), list),
        Route(
            "PUT", "/modules/{id}/instances",
            RouteDescription(
                "reapply_module", "Applies the module anew to instances whose contents of it are not the module's own.",
                rule: "module:reapply", body: schema, status: 202, faults: [403]), reapply),
    ]

    private static let schema = Schema.object(
        [
            "reapply": .object([
                "md5": .string(minimum: 32, maximum: 32), "include_clustered": .zeroOrOne,
                "batch_size": .integer(minimum: 0), "batch_delay": .integer(minimum: 0, maximum: 3600),
                "force": .zeroOrOne,
            ])
        ], required: ["reapply"])

    @Sendable private static func list(_ call: APICall) async throws -> APIResponse {
        let id = call.parameter(0)
        let query = Query(call.request.query)
        if query.isTrue("count_only") { return try await counts(id, call) }
        let size = call.configuration.pageSize
        let limit = try Page.limit(query, standard: size, maximum: size)
        let view = InstanceView(.list, call)
        return try await call.services.store.read { transaction in
            _ = try call.module(id, rule: "module:instances", transaction)
            let rows = try transaction.modules.instances(id, after: Page.marker(query), limit: limit + 1)
            // A module of every project is not a window to other projects' instances.
            let instances = try rows.prefix(limit).compactMap { try transaction.instances.summary($0.id) }
                .filter { call.context.isAdmin || $0.instance.projectID == call.context.projectID }
            return .json(reserving: 1024 + instances.count * 512) { writer in
                writer.object { writer in
                    writer.key("instances")
                    writer.array { writer in
                        for instance in instances { view.write(instance, &writer) }
                    }
                    if rows.count > limit, let last = rows.prefix(limit).last {
                        call.writeNextLink(&writer, query, marker: last.id)
                    }
                }
            }
        }
    }

    private static func counts(_ id: String, _ call: APICall) async throws -> APIResponse {
        let (module, counts) = try await call.services.store.read { transaction in
            (try call.module(id, rule: "module:instances", transaction), try transaction.modules.counts(id))
        }
        return .json { writer in
            writer.object { writer in
                writer.key("instances")
                writer.array { writer in
                    for count in counts {
                        writer.object { writer in
                            writer.member("module_name", module.name)
                            writer.member("module_id", id)
                            writer.member("module_md5", count.md5)
                            writer.member("instance_count", count.instances)
                            writer.member("current", count.md5 == module.md5)
                            writer.member("min_updated_date", count.oldest)
                            writer.member("max_updated_date", count.newest)
                        }
                    }
                }
            }
        }
    }

    /// 202, empty: an operation goes through the instances.
    @Sendable private static func reapply(_ call: APICall) async throws -> APIResponse {
        let id = call.parameter(0)
        let body = try await call.body()
        try schema.validate(body)
        let wish = body["reapply"] ?? [:]
        try await call.services.store.write(.durable) { transaction in
            let module = try call.module(id, rule: "module:reapply", isChange: true, transaction)
            try ModuleRequest.requireAdmin(module.isAdmin ? ["Module is an admin module"] : [], "reapply", call)
            try transaction.journal.insert(
                call.journal(
                    .reapplyModule, resourceID: id, projectID: module.projectID ?? call.context.projectID,
                    [
                        "module_id": .string(id), "md5": wish["md5"] ?? .null,
                        "batch_size": wish["batch_size"] ?? .null, "batch_delay": wish["batch_delay"] ?? .null,
                        "force": .bool(wish["force"]?.intValue == 1),
                    ]))
        }
        await call.wakeTaskManager()
        return .accepted
    }
}
