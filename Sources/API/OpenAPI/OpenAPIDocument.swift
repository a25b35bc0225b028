// SPDX-License-Identifier: Apache-2.0

import Model
import PluginHost

/// The OpenAPI 3.1 document of the routes that are served: the API's own, and those that plugins add.
struct OpenAPIDocument {
    private var schemas = SchemaDocument()
    /// By path, then by verb in lower case.
    private var paths: [String: [String: JSONValue]] = [:]

    /// Statuses that every route may answer, beside success.
    private static let faults = [400, 401, 403, 404, 413, 503]

    private static let titles = [
        400: "Something in the request is wrong; the message names it.",
        401: "No token, an invalid one, or not enough of a role.",
        403: "The policy, or another project's path.", 404: "There is no such resource, or no such route.",
        406: "No such version.", 409: "What is there is in the way.", 413: "A quota or a rate limit.",
        415: "The body's type is not one of the API's.",
        422: "Not in the resource's present state, or not with this value.",
        501: "Not supported here.", 503: "Something that is needed is away; Retry-After says when to ask again.",
        504: "It took too long.",
    ]

    /// - Parameters:
    ///   - baseURL: Scheme, host and port.
    ///   - release: Of the program.
    static func make(
        _ core: [Route<CoreRoute>], plugins: [Route<PluginRoute>], baseURL: String, release: String
    ) -> JSONValue {
        var document = OpenAPIDocument()
        for route in core { document.add(route) }
        for route in plugins { document.add(route) }
        return document.json(baseURL: baseURL, release: release)
    }

    private func json(baseURL: String, release: String) -> JSONValue {
        [
            "openapi": "3.1.0",
            "info": [
                "title": "Database service", "version": .string(release),
                "description": "Databases on request: instances, their databases and users, backups. Times are UTC.",
            ],
            "servers": [
                [
                    "url": .string(baseURL + "/v1.0/{project_id}"),
                    "variables": ["project_id": ["default": "project", "description": "The project of the token."]],
                ]
            ],
            "security": [["token": []]],
            "paths": .object(paths.mapValues(JSONValue.object)),
            "components": [
                "schemas": .object(schemas.components),
                "securitySchemes": [
                    "token": [
                        "type": "apiKey", "in": "header", "name": "X-Auth-Token",
                        "description": "A project's token of the identity service.",
                    ]
                ],
            ],
        ]
    }

    // MARK: - Routes

    private mutating func add(_ route: Route<CoreRoute>) {
        let about = route.target.about
        var operation = operation(route.pattern, id: about.id, summary: about.summary, rule: about.rule)
        for parameter in about.query {
            operation.parameters.append([
                "name": .string(parameter.name), "in": "query", "description": .string(parameter.summary),
                "schema": schemas.json(parameter.schema),
            ])
        }
        if let body = about.body {
            operation.members["requestBody"] = [
                "required": .bool(!about.isBodyOptional),
                "content": ["application/json": ["schema": schemas.json(body)]],
            ]
        }
        let answer = about.answer.map { schemas.json($0) }
        insert(
            operation, route.pattern, status: about.status, answer: answer, faults: about.faults,
            isStream: about.isStream)
    }

    /// What a plugin's manifest says of its route. A plugin may answer any success, and any fault.
    private mutating func add(_ route: Route<PluginRoute>) {
        let plugin = route.target
        let words = route.pattern.path.split(whereSeparator: { "/{}-".contains($0) }).joined(separator: "_")
        var operation = operation(
            route.pattern, id: plugin.method.lowercased() + "_" + words, summary: plugin.summary, rule: plugin.policy)
        operation.members["x-trove-plugin"] = .string(plugin.pluginID)
        if plugin.method != "GET", plugin.method != "DELETE" {
            operation.members["requestBody"] = [
                "required": .bool(plugin.requestSchema != nil),
                "content": ["application/json": ["schema": plugin.requestSchema ?? [:]]],
            ]
        }
        insert(operation, route.pattern, status: nil, answer: plugin.responseSchema, faults: [409, 422, 501, 504])
    }

    private static let idempotencyKey: JSONValue = [
        "name": "Idempotency-Key", "in": "header",
        "description":
            "The request is done once however often it is sent under this key, and answered as it was first.",
        "schema": ["type": "string", "minLength": 1, "maxLength": 255],
    ]

    private struct Operation {
        var parameters: [JSONValue]
        var members: [String: JSONValue]
    }

    private func operation(_ pattern: RoutePattern, id: String, summary: String, rule: String?) -> Operation {
        var parameters = pattern.parameterNames.map { name -> JSONValue in
            ["name": .string(name), "in": "path", "required": true, "schema": ["type": "string", "minLength": 1]]
        }
        if pattern.method == "POST" { parameters.append(Self.idempotencyKey) }
        if pattern.method != "GET" {
            parameters.append([
                "name": .string(DryRun.parameter.name), "in": "query",
                "description": .string(DryRun.parameter.summary), "schema": ["type": "boolean"],
            ])
        }
        var members: [String: JSONValue] = [
            "operationId": .string(id), "summary": .string(summary),
            "tags": [.string(pattern.path.split(separator: "/").first.map(String.init) ?? "")],
        ]
        members["x-trove-policy"] = rule.map(JSONValue.string)
        return Operation(parameters: parameters, members: members)
    }

    private mutating func insert(
        _ operation: Operation, _ pattern: RoutePattern, status: Int?, answer: JSONValue?, faults: [Int],
        isStream: Bool = false
    ) {
        var responses: [String: JSONValue] = [:]
        var success: [String: JSONValue] = ["description": "Done."]
        if let answer {
            var content: [String: JSONValue] = ["application/json": ["schema": answer]]
            if isStream { content["text/event-stream"] = ["schema": ["type": "string"]] }
            success["content"] = .object(content)
        }
        responses[status.map(String.init) ?? "2XX"] = .object(success)
        if pattern.method != "GET" {
            let plan = schemas.json(.named("Plan", DryRun.schema))
            // Where the route's own answer is 200 with nothing, or a plugin's, a schema would be wrong.
            let isOwn = status == 200 || status == nil
            let shown = isOwn ? answer.map { ["anyOf": [$0, plan]] } : plan
            var answers: [String: JSONValue] = [
                "description": isOwn ? "Done, or the plan of a dry run." : "The plan of a dry run."
            ]
            if let shown { answers["content"] = ["application/json": ["schema": shown]] }
            responses["200"] = .object(answers)
        }
        for status in Set(
            Self.faults + faults + (pattern.method == "POST" ? [409, 422] : [])
                + (operation.members["requestBody"] == nil ? [] : [415]))
        {
            responses[String(status)] = [
                "description": .string(Self.titles[status] ?? "It failed."),
                "content": ["application/json": ["schema": status == 401 ? schemas.unauthorized() : schemas.fault()]],
            ]
        }
        var members = operation.members
        members["parameters"] = .array(operation.parameters)
        members["responses"] = .object(responses)
        paths[pattern.path, default: [:]][(pattern.method ?? "GET").lowercased()] = .object(members)
    }
}

extension SchemaDocument {
    /// One key that names the kind of fault. Source: REST contract §1.4.
    fileprivate mutating func fault() -> JSONValue {
        json(
            "Fault",
            [
                "type": "object", "minProperties": 1, "maxProperties": 1,
                "additionalProperties": [
                    "type": "object", "required": ["code", "message"],
                    "properties": [
                        "code": ["type": "integer"], "message": ["type": "string"], "details": [:],
                        "retryAfter": ["type": "string"],
                    ],
                ],
            ])
    }

    /// Without a token, whose fault has a title. Source: REST contract §1.1.
    fileprivate mutating func unauthorized() -> JSONValue {
        json(
            "Unauthorized",
            [
                "type": "object", "minProperties": 1, "maxProperties": 1,
                "additionalProperties": [
                    "type": "object", "required": ["code", "message"],
                    "properties": [
                        "code": ["const": 401], "message": ["type": "string"], "title": ["type": "string"],
                    ],
                ],
            ])
    }
}
