// SPDX-License-Identifier: Apache-2.0

import Model
import Notifications
import StateStore

/// `/configurations`. Source: REST contract §9.
enum ConfigurationRoutes {
    static let routes: [Route<CoreRoute>] = [
        Route(
            "GET", "/configurations",
            RouteDescription(
                "list_configurations", "Configuration groups of the project; for administrators of all.",
                rule: "configuration:index", query: QueryParameter.pages,
                answer: .page("configurations", of: .configuration)), list),
        Route(
            "POST", "/configurations",
            RouteDescription(
                "create_configuration", "Makes a configuration group.", rule: "configuration:create",
                body: CreateConfiguration.schema, answer: .document("configuration", .configuration), faults: [422]),
            CreateConfiguration.handle),
        Route(
            "GET", "/configurations/{id}",
            RouteDescription(
                "show_configuration", "One configuration group with its values.", rule: "configuration:show",
                answer: .document("configuration", .configuration)), show),
        Route(
            "GET", "/configurations/{id}/instances",
            RouteDescription(
                "list_configuration_instances", "Instances that have the group.", rule: "configuration:instances",
                query: QueryParameter.pages,
                answer: .page(
                    "instances", of: .object(["id": .string(), "name": .string()], required: ["id", "name"]))),
            instances),
        Route(
            "PUT", "/configurations/{id}",
            RouteDescription(
                "update_configuration", "Replaces the values of a group, there and in its instances.",
                rule: "configuration:update", body: UpdateConfiguration.putSchema, status: 202, faults: [409, 422]),
            UpdateConfiguration.put),
        Route(
            "PATCH", "/configurations/{id}",
            RouteDescription(
                "edit_configuration", "Sets some values of a group, there and in its instances.",
                rule: "configuration:edit", body: UpdateConfiguration.patchSchema, faults: [409, 422]),
            UpdateConfiguration.patch),
        Route(
            "DELETE", "/configurations/{id}",
            RouteDescription(
                "delete_configuration", "Removes a group that no instance has.", rule: "configuration:delete",
                status: 202), delete),
    ]

    /// `{"configurations": […], "links"?}`
    @Sendable private static func list(_ call: APICall) async throws -> APIResponse {
        try call.require("configuration:index")
        let query = Query(call.request.query)
        let size = call.configuration.pageSize
        let limit = try Page.limit(query, standard: size, maximum: size)
        let projectID = call.context.isAdmin ? nil : call.context.projectID
        let groups = try await call.services.store.read { transaction in
            try transaction.configurations.page(
                projectID: projectID, after: Page.marker(query), limit: limit + 1)
        }
        return page("configurations", groups, limit: limit, id: \.id, query, call, ConfigurationView.write)
    }

    @Sendable private static func show(_ call: APICall) async throws -> APIResponse {
        let id = call.parameter(0)
        return try await call.services.store.read { transaction in
            let group = try call.configurationGroup(id, rule: "configuration:show", transaction)
            let contents = try transaction.configurations.contents(id)
            return ConfigurationView.document(group, values: contents.values, instanceCount: contents.instanceCount)
        }
    }

    /// `{"instances": [{"id", "name"}], "links"?}`
    @Sendable private static func instances(_ call: APICall) async throws -> APIResponse {
        let id = call.parameter(0)
        let query = Query(call.request.query)
        let size = call.configuration.pageSize
        let limit = try Page.limit(query, standard: size, maximum: size)
        let instances = try await call.services.store.read { transaction in
            _ = try call.configurationGroup(id, rule: "configuration:instances", transaction)
            return try transaction.configurations.instances(id, after: Page.marker(query), limit: limit + 1)
        }
        return page("instances", instances, limit: limit, id: \.id, query, call) { instance, writer in
            writer.object { writer in
                writer.member("id", instance.id)
                writer.member("name", instance.name)
            }
        }
    }

    /// 202, empty.
    @Sendable private static func delete(_ call: APICall) async throws -> APIResponse {
        let id = call.parameter(0)
        try await call.announcing(.configurationDelete, ["configuration_id": .string(id)]) { announcement in
            try await call.services.store.write(.durable) { transaction in
                _ = try call.configurationGroup(id, rule: "configuration:delete", transaction)
                guard try transaction.configurations.instanceCount(id) == 0 else {
                    throw APIFault(
                        400,
                        "A configuration group cannot be deleted if it is associated with one or more non-terminated"
                            + " instances. Detach the configuration group from all non-terminated instances and please"
                            + " try again.")
                }
                try transaction.configurations.markDeleted(id, now: call.now)
                try announcement.complete(transaction)
            }
        }
        return .accepted
    }

    /// - Parameter rows: Up to `limit + 1`.
    private static func page<Row>(
        _ name: String, _ rows: [Row], limit: Int, id: (Row) -> String, _ query: Query, _ call: APICall,
        _ write: (Row, inout JSONWriter) -> Void
    ) -> APIResponse {
        let shown = rows.prefix(limit)
        return .json(reserving: 256 + shown.count * 384) { writer in
            writer.object { writer in
                writer.key(name)
                writer.array { writer in
                    for row in shown { write(row, &writer) }
                }
                if rows.count > limit, let last = shown.last {
                    call.writeNextLink(&writer, query, marker: id(last))
                }
            }
        }
    }
}

extension APICall {
    /// The live group, or 404 with one text for a missing one and for another project's.
    func configurationGroup(
        _ id: String, rule: String, _ transaction: any StateTransaction
    ) throws -> ConfigurationRecord {
        guard let group = try transaction.configurations.find(id),
            context.isAdmin || group.projectID == context.projectID
        else { throw APIFault(.notFound, "Configuration group with ID \(id) could not be found.") }
        try require(rule, owner: group.projectID)
        return group
    }
}
