// SPDX-License-Identifier: Apache-2.0

import Model
import PluginHost

/// Serves a plugin's route: request → api-request document → plugin → api-response document → response.
struct PluginRouteHandler {
    let control: ControlService

    func handle(_ route: PluginRoute, path: String, _ call: APICall) async throws -> APIResponse {
        try call.require(route.policy)
        let pattern = RoutePattern(route.method, route.path)
        let parameters = Dictionary(
            zip(pattern.parameterNames, call.parameters.map(JSONValue.string)), uniquingKeysWith: { first, _ in first }
        )
        let query = Dictionary(
            Query(call.request.query).items.map { ($0.name, JSONValue.string($0.value)) },
            uniquingKeysWith: { _, last in last }
        )
        let carriesBody = call.request.method != "GET" && call.request.method != "DELETE"
        let body = carriesBody ? try await call.optionalBody(shape: Self.shape(route)) ?? .null : .null
        if carriesBody { try Self.check(body, route) }
        let document: JSONValue = .object([
            "method": .string(call.request.method), "path": .string(path), "route": .string(route.path),
            "parameters": .object(parameters), "query": .object(query),
            "body": body,
            "project_id": .string(call.context.projectID), "user_id": .string(call.context.userID),
            "is_admin": .bool(call.context.isAdmin), "request_id": .string(call.context.requestID),
            "base_url": .string(call.baseURL + "/v1.0/" + call.context.projectID),
        ])
        let options = CallOptions(
            deadline: .after(call.configuration.pluginRouteTimeout), context: call.context, instanceID: nil
        )
        let answer = try await call.services.plugins.handle(
            route, document, options, control: control.asked(by: call.request))
        return try Self.response(answer, route)
    }

    private static func shape(_ route: PluginRoute) -> BodyShape {
        route.requestSchema.map { BodyShape($0) } ?? .any
    }

    /// A body that does not fit the route's schema does not reach the plugin.
    private static func check(_ body: JSONValue, _ route: PluginRoute) throws {
        guard let schema = route.requestSchema else { return }
        let failures = try JSONSchema(schema).failures(body, root: "body")
        guard failures.isEmpty else {
            throw APIFault(400, "Validation error: " + failures.joined(separator: "; ") + ".")
        }
    }

    private static func response(_ answer: JSONValue, _ route: PluginRoute) throws(APIFault) -> APIResponse {
        guard let status = answer["status"]?.intValue, (200...599).contains(status) else {
            throw APIFault(
                500, "Plugin '\(route.pluginID)' answered route '\(route.method) \(route.path)' without a status."
            )
        }
        guard let body = answer["body"] else { return APIResponse(status: status) }
        return APIResponse(status: status, body: body.serialized)
    }
}
