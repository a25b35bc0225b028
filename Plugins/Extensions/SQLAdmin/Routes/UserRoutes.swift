// SPDX-License-Identifier: Apache-2.0

import TrovePluginKit

/// `/instances/{id}/users`. Source: REST contract §5.1.
enum UserRoutes {
    static var all: [Route] {
        let users = "/instances/{id}/users"
        let policy = "instance:extension:user:"
        return [
            Route("GET", users, policy: policy + "index", handle: list),
            Route("POST", users, policy: policy + "create", handle: create),
            Route("PUT", users, policy: policy + "update_all", handle: updateAll),
            Route("POST", users + "/{name}", policy: policy + "create", handle: createNamed),
            Route("GET", users + "/{name}", policy: policy + "show", handle: show),
            Route("PUT", users + "/{name}", policy: policy + "update", handle: update),
            Route("PUT", users + "/{name}/update", policy: policy + "update", handle: update),
            Route("DELETE", users + "/{name}", policy: policy + "delete", handle: delete),
        ]
    }

    private static func list(_ request: APIRequest, _ call: Call) throws -> APIResponse {
        let link = try PageLink(request)
        let page = try InstanceHandle.running(request, call).page("list_users", link)
        return APIResponse(200, link.body("users", page.items.map(view), next: page.next))
    }

    private static func create(_ request: APIRequest, _ call: Call) throws -> APIResponse {
        let users = try Bodies.users(request)
        let instance = try InstanceHandle.running(request, call)
        guard Set(users.map(\.id)).count == users.count else {
            throw Faults.badRequest(
                """
                Two or more users share the same name and host in the initial users list. Please correct the names or \
                remove the duplicate entries.
                """)
        }
        for user in users where try instance.hasUser(user.id) { throw Faults.existing(user: user.id.name) }
        guard !users.isEmpty else { return APIResponse(202) }
        let items = users.map { user in
            JSON.object([
                "_name": .string(user.id.name), "_host": .string(user.id.host), "_password": .string(user.password),
                "_databases": .array(user.databases.map { ["_name": .string($0)] }),
            ])
        }
        try instance.guest("create_user", ["users": .array(items)])
        return APIResponse(202)
    }

    /// One of the public clients names the user whom it creates in the path too.
    private static func createNamed(_ request: APIRequest, _ call: Call) throws -> APIResponse {
        let names = try Bodies.users(request).map(\.id.name)
        guard let name = request.parameters["name"], names == [name] else {
            throw Faults.badRequest("The path names another user than the body; POST …/users creates users.")
        }
        return try create(request, call)
    }

    private static func updateAll(_ request: APIRequest, _ call: Call) throws -> APIResponse {
        let users = try Bodies.users(request)
        let instance = try InstanceHandle.running(request, call)
        for user in users where try !instance.hasUser(user.id) {
            throw missing(user.id, instance, Faults.missing(user: user.id.text))
        }
        guard !users.isEmpty else { return APIResponse(202) }
        let items = users.map { user in
            JSON.object([
                "name": .string(user.id.name), "host": .string(user.id.host), "password": .string(user.password),
            ])
        }
        try instance.guest("change_passwords", ["users": .array(items)])
        return APIResponse(202)
    }

    private static func show(_ request: APIRequest, _ call: Call) throws -> APIResponse {
        let (instance, id, text) = try target(request, call)
        guard let user = try instance.user(id) else { throw Faults.missing(user: text) }
        return APIResponse(200, ["user": view(user)])
    }

    private static func update(_ request: APIRequest, _ call: Call) throws -> APIResponse {
        // The old name of PUT /users; a user of that name is meant where the body is one user's.
        if request.parameters["name"] == "update_all", request.body?["users"] != nil {
            return try updateAll(request, call)
        }
        let change = try Bodies.userUpdate(request)
        let (instance, id, text) = try target(request, call)
        guard try instance.hasUser(id) else { throw missing(id, instance, Faults.missing(user: text)) }
        let new = UserID(name: change.name ?? id.name, host: change.host ?? id.host)
        if new != id, try instance.hasUser(new) { throw Faults.existing(user: new.name) }
        let attributes = JSON.members([
            "name": change.name.map(JSON.string), "host": change.host.map(JSON.string),
            "password": change.password.map(JSON.string),
        ])
        try instance.guest(
            "update_attributes",
            ["username": .string(id.name), "hostname": .string(id.host), "user_attrs": attributes])
        return APIResponse(202)
    }

    private static func delete(_ request: APIRequest, _ call: Call) throws -> APIResponse {
        let (instance, id, text) = try target(request, call)
        let arguments: [String: JSON] = ["user": ["_name": .string(id.name), "_host": .string(id.host)]]
        guard try instance.hasUser(id) else {
            throw instance.refusal("delete_user", arguments, missing: Faults.missing(user: text))
        }
        try instance.guest("delete_user", arguments)
        return APIResponse(202)
    }

    /// The running instance and the user of the path.
    static func target(
        _ request: APIRequest, _ call: Call
    ) throws -> (instance: InstanceHandle, id: UserID, text: String) {
        let text = request.parameters["name"] ?? ""
        return (try InstanceHandle.running(request, call), UserID(path: text), text)
    }

    /// Why a user that is not there cannot be changed. Nothing is asked to change: another user may have the new name.
    private static func missing(_ id: UserID, _ instance: InstanceHandle, _ fault: PluginFailure) -> PluginFailure {
        let arguments: [String: JSON] = [
            "username": .string(id.name), "hostname": .string(id.host), "user_attrs": [:],
        ]
        return instance.refusal("update_attributes", arguments, missing: fault)
    }

    /// `{"name", "host", "databases": [{"name"}]}` of the bus's form.
    private static func view(_ user: JSON) -> JSON {
        [
            "name": user["_name"] ?? .null, "host": user["_host"] ?? "%",
            "databases": .array(UserAccessRoutes.names(user["_databases"]).map { ["name": .string($0)] }),
        ]
    }
}
