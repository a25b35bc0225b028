// SPDX-License-Identifier: Apache-2.0

import TrovePluginKit

/// `/instances/{id}/users/{name}/databases`. Source: REST contract §5.1.
enum UserAccessRoutes {
    static var all: [Route] {
        let access = "/instances/{id}/users/{name}/databases"
        let policy = "instance:extension:user_access:"
        return [
            Route("GET", access, policy: policy + "index", handle: list),
            Route("PUT", access, policy: policy + "update", handle: grant),
            Route("PUT", access + "/update", policy: policy + "update", handle: grant),
            Route("DELETE", access + "/{database}", policy: policy + "delete", handle: revoke),
        ]
    }

    private static func list(_ request: APIRequest, _ call: Call) throws -> APIResponse {
        let (instance, id, text) = try UserRoutes.target(request, call)
        guard try instance.user(id) != nil else { throw Faults.missing(user: text) }
        let reply = try instance.guest("list_access", arguments(id))
        return APIResponse(200, ["databases": .array(names(reply).map { ["name": .string($0)] })])
    }

    private static func grant(_ request: APIRequest, _ call: Call) throws -> APIResponse {
        let databases = try Bodies.access(request)
        let (instance, id, text) = try UserRoutes.target(request, call)
        let grant = arguments(id, ["databases": .array(databases.map(JSON.string))])
        guard try instance.hasUser(id) else {
            throw instance.refusal("grant_access", grant, missing: Faults.missing(user: text))
        }
        guard !databases.isEmpty else { return APIResponse(202) }
        try instance.guest("grant_access", grant)
        return APIResponse(202)
    }

    private static func revoke(_ request: APIRequest, _ call: Call) throws -> APIResponse {
        let database = request.parameters["database"] ?? ""
        let (instance, id, text) = try UserRoutes.target(request, call)
        let revocation = arguments(id, ["database": .string(database)])
        guard try instance.hasUser(id), let user = try instance.user(id) else {
            throw instance.refusal("revoke_access", revocation, missing: Faults.missing(user: text))
        }
        guard names(user["_databases"]).contains(database) else {
            throw instance.refusal("revoke_access", revocation, missing: Faults.missing(database: database))
        }
        try instance.guest("revoke_access", revocation)
        return APIResponse(202)
    }

    /// Names of a list of databases in the bus's form.
    static func names(_ databases: JSON?) -> [String] {
        (databases?.arrayValue ?? []).compactMap { $0["_name"]?.stringValue }
    }

    private static func arguments(_ id: UserID, _ more: [String: JSON] = [:]) -> [String: JSON] {
        ["username": .string(id.name), "hostname": .string(id.host)].merging(more) { first, _ in first }
    }
}
