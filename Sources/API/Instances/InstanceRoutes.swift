// SPDX-License-Identifier: Apache-2.0

import Model
import StateStore

/// `/instances`. Source: REST contract §3.
enum InstanceRoutes {
    static let routes: [Route<CoreRoute>] = [
        InstanceConfiguration.route,
        Route(
            "GET", "/instances",
            RouteDescription(
                "list_instances", "Instances of the project.", rule: "instance:index",
                query: QueryParameter.pages + [.includeClustered], answer: .page("instances", of: .instance)), list),
        Route(
            "GET", "/instances/detail",
            RouteDescription(
                "list_instance_details", "Instances of the project, with times and faults.", rule: "instance:detail",
                query: QueryParameter.pages + [.includeClustered], answer: .page("instances", of: .instance)), detail),
        Route(
            "POST", "/instances",
            RouteDescription(
                "create_instance", "Makes an instance; its status is BUILD until it serves.", rule: "instance:create",
                body: CreateInstanceRequest.schema, answer: .document("instance", .instance), faults: [409, 501]),
            CreateInstance.handle),
        Route(
            "GET", "/instances/{id}",
            RouteDescription(
                "show_instance", "One instance.", rule: "instance:show", answer: .document("instance", .instance)),
            show),
        Route(
            "PUT", "/instances/{id}",
            RouteDescription(
                "update_instance", "Changes one attribute, and the name.", rule: "instance:update",
                body: UpdateInstance.putSchema, status: 202, faults: [409, 422, 501]), UpdateInstance.put),
        Route(
            "PATCH", "/instances/{id}",
            RouteDescription(
                "edit_instance", "Changes one attribute, and the name.", rule: "instance:update",
                body: UpdateInstance.patchSchema, status: 202, faults: [409, 422, 501]), UpdateInstance.patch),
        Route(
            "DELETE", "/instances/{id}",
            RouteDescription(
                "delete_instance", "Removes an instance and all that is its.", rule: "instance:delete", status: 202,
                faults: [422]), DeleteInstance.handle),
        Route("POST", "/instances/{id}/action", InstanceActions.description, InstanceActions.handle),
        Route(
            "GET", "/instances/{id}/actions",
            RouteDescription(
                "list_instance_actions", "What plugins add to an instance's actions.", rule: "instance:show",
                answer: .document("actions", .array(of: .object([:])))), PluginActions.list),
        Route(
            "GET", "/instances/{id}/backups",
            RouteDescription(
                "list_instance_backups", "Backups of an instance.", rule: "instance:backups",
                query: QueryParameter.offsets, answer: .page("backups", of: .backup)), BackupRoutes.listOfInstance),
    ]

    /// `{"instances": […], "links"?}`, the caller's project only.
    @Sendable private static func list(_ call: APICall) async throws -> APIResponse {
        try call.require("instance:index")
        let page = try InstancePage(call)
        let view = InstanceView(.list, call)
        // Written where it was read: what a row is made of is let go by the thread that made it.
        return try await call.services.store.read { transaction in
            let rows = try transaction.instances.outlines(
                projectID: page.projectID, after: page.marker, limit: page.limit + 1, withMembers: page.withMembers)
            return page.document(rows, id: \.id, created: \.created, call) { row, writer in view.write(row, &writer) }
        }
    }

    @Sendable private static func detail(_ call: APICall) async throws -> APIResponse {
        try call.require("instance:detail")
        let page = try InstancePage(call)
        let view = InstanceView(.detail, call)
        return try await call.services.store.read { transaction in
            let rows = try transaction.instances.details(
                projectID: page.projectID, after: page.marker, limit: page.limit + 1, withMembers: page.withMembers)
            return page.document(rows, id: \.outline.id, created: \.outline.created, call) { row, writer in
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
