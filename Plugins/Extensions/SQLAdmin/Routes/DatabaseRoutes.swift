// SPDX-License-Identifier: Apache-2.0

import TrovePluginKit

/// `/instances/{id}/databases`. Source: REST contract §4.
enum DatabaseRoutes {
    static var all: [Route] {
        [
            Route("GET", "/instances/{id}/databases", policy: "instance:extension:database:index", handle: list),
            Route("POST", "/instances/{id}/databases", policy: "instance:extension:database:create", handle: create),
            Route(
                "DELETE", "/instances/{id}/databases/{name}", policy: "instance:extension:database:delete",
                handle: delete),
            Route("GET", "/instances/{id}/databases/{name}", policy: "instance:extension:database:show", handle: show),
        ]
    }

    private static func list(_ request: APIRequest, _ call: Call) throws -> APIResponse {
        let link = try PageLink(request)
        let page = try InstanceHandle.running(request, call).page("list_databases", link)
        let items = page.items.map { JSON.object(["name": $0["_name"] ?? .null]) }
        return APIResponse(200, link.body("databases", items, next: page.next))
    }

    private static func create(_ request: APIRequest, _ call: Call) throws -> APIResponse {
        let databases = try Bodies.databases(request)
        let instance = try InstanceHandle.running(request, call)
        guard Set(databases.map(\.name)).count == databases.count else {
            throw Faults.badRequest(
                """
                Two or more databases share the same name in the initial databases list. Please correct the names or \
                remove the duplicate entries.
                """)
        }
        for database in databases where try instance.hasDatabase(database.name) {
            throw Faults.existing(database: database.name)
        }
        guard !databases.isEmpty else { return APIResponse(202) }
        let items = databases.map { database in
            JSON.members([
                "_name": .string(database.name), "_character_set": database.characterSet.map(JSON.string),
                "_collate": database.collate.map(JSON.string),
            ])
        }
        try instance.guest("create_database", ["databases": .array(items)])
        return APIResponse(202)
    }

    private static func delete(_ request: APIRequest, _ call: Call) throws -> APIResponse {
        let name = request.parameters["name"] ?? ""
        let instance = try InstanceHandle.running(request, call)
        let arguments: [String: JSON] = ["database": ["_name": .string(name)]]
        guard try instance.hasDatabase(name) else {
            throw instance.refusal("delete_database", arguments, missing: Faults.missing(database: name))
        }
        try instance.guest("delete_database", arguments)
        return APIResponse(202)
    }

    /// The reference service has the route and never had an answer.
    private static func show(_ request: APIRequest, _ call: Call) throws -> APIResponse {
        throw PluginFailure(.unsupported, "Showing a single database is not supported; list the instance's databases.")
    }
}
