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
        Route(pattern: RoutePattern("GET", "/instances/{id}/actions"), target: PluginActions.list),
        Route(pattern: RoutePattern("GET", "/instances/{id}/backups"), target: BackupRoutes.listOfInstance),
    ]

    /// `{"instances": […], "links"?}`, the caller's project only.
    @Sendable private static func list(_ call: APICall) async throws -> APIResponse {
        try call.require("instance:index")
        let page = try InstancePage(call)
        let view = InstanceView(.list, call)
        // Written where it was read: what a row is made of is let go by the thread that made it.
        return try await call.services.store.read { transaction in
            let rows = try transaction.instances.outlines(
                projectID: page.projectID, after: page.marker, limit: page.limit + 1)
            return page.document(rows, id: \.id, created: \.created, call) { row, writer in view.write(row, &writer) }
        }
    }

    @Sendable private static func detail(_ call: APICall) async throws -> APIResponse {
        try call.require("instance:detail")
        let page = try InstancePage(call)
        let view = InstanceView(.detail, call)
        return try await call.services.store.read { transaction in
            let rows = try transaction.instances.page(
                projectID: page.projectID, after: page.marker, limit: page.limit + 1)
            return page.document(rows, id: \.instance.id, created: \.instance.created, call) { row, writer in
                view.write(row, &writer)
            }
        }
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
}
