// SPDX-License-Identifier: Apache-2.0

import Model
import StateStore

/// `/instances`. Source: REST contract §3.
enum InstanceRoutes {
    static let routes: [Route<RouteHandler>] = [
        Route(pattern: RoutePattern("GET", "/instances"), target: list),
        Route(pattern: RoutePattern("GET", "/instances/detail"), target: detail),
        Route(pattern: RoutePattern("POST", "/instances"), target: CreateInstance.handle),
        Route(pattern: RoutePattern("GET", "/instances/{id}"), target: show),
        Route(pattern: RoutePattern("PUT", "/instances/{id}"), target: UpdateInstance.put),
        Route(pattern: RoutePattern("PATCH", "/instances/{id}"), target: UpdateInstance.patch),
        Route(pattern: RoutePattern("DELETE", "/instances/{id}"), target: DeleteInstance.handle),
        Route(pattern: RoutePattern("POST", "/instances/{id}/action"), target: InstanceActions.handle),
        Route(pattern: RoutePattern("GET", "/instances/{id}/backups"), target: BackupRoutes.listOfInstance),
    ]

    /// `{"instances": […], "links"?}`, the caller's project only.
    @Sendable private static func list(_ call: APICall) async throws -> APIResponse {
        try call.require("instance:index")
        return try await page(call, .list)
    }

    @Sendable private static func detail(_ call: APICall) async throws -> APIResponse {
        try call.require("instance:detail")
        return try await page(call, .detail)
    }

    /// `{"instance": {…}}`
    @Sendable private static func show(_ call: APICall) async throws -> APIResponse {
        let id = call.parameter(0)
        let summary = try await call.services.store.read { try call.instance(id, rule: "instance:show", $0) }
        return document(summary, .show, call)
    }

    static func document(_ summary: InstanceSummary, _ depth: InstanceView.Depth, _ call: APICall) -> APIResponse {
        let view = InstanceView(depth, call)
        return .json { writer in
            writer.object { writer in
                writer.key("instance")
                view.write(summary, &writer)
            }
        }
    }

    /// Pages go by ascending id; inside a page the newest comes first.
    private static func page(_ call: APICall, _ depth: InstanceView.Depth) async throws -> APIResponse {
        let query = Query(call.request.query)
        let size = call.configuration.pageSize
        let limit = try Page.limit(query, standard: size, maximum: size)
        let marker = Page.marker(query)
        let projectID = call.context.projectID
        var rows = try await call.services.store.read { transaction in
            try transaction.instances.page(projectID: projectID, after: marker, limit: limit + 1)
        }
        var next: String?
        if rows.count > limit {
            rows.removeLast(rows.count - limit)
            next = rows.last?.instance.id
        }
        rows.sort { $0.instance.created > $1.instance.created }
        let view = InstanceView(depth, call)
        return .json(reserving: 1024 + rows.count * 1024) { writer in
            writer.object { writer in
                writer.key("instances")
                writer.array { writer in
                    for row in rows { view.write(row, &writer) }
                }
                if let next { call.writeNextLink(&writer, query, marker: next) }
            }
        }
    }
}
