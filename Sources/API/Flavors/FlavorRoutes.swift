// SPDX-License-Identifier: Apache-2.0

import Model

/// `/flavors`. Source: REST contract §11.
enum FlavorRoutes {
    static let routes: [Route<CoreRoute>] = [
        Route(
            "GET", "/flavors",
            RouteDescription(
                "list_flavors", "Sizes that instances can have.", rule: "flavor:index",
                answer: .document("flavors", .array(of: .flavor))), list),
        Route(
            "GET", "/flavors/{id}",
            RouteDescription("show_flavor", "One flavor.", rule: "flavor:show", answer: .document("flavor", .flavor)),
            show),
        // Neither the datastore nor the version is looked at: every flavor goes with every version.
        Route(
            "GET", "/datastores/{datastore}/versions/{version}/flavors",
            RouteDescription(
                "list_associated_flavors", "Sizes that a version's instances can have.",
                rule: "datastore:list_associated_flavors", answer: .document("flavors", .array(of: .flavor))),
            associated),
    ]

    /// `{"flavors": [f]}`
    @Sendable private static func list(_ call: APICall) async throws -> APIResponse {
        try call.require("flavor:index")
        return document(call)
    }

    @Sendable private static func associated(_ call: APICall) async throws -> APIResponse {
        try call.require("datastore:list_associated_flavors")
        return document(call)
    }

    /// `{"flavor": f}`
    @Sendable private static func show(_ call: APICall) async throws -> APIResponse {
        try call.require("flavor:show")
        let id = call.parameter(0)
        guard let flavor = call.configuration.flavors.first(where: { $0.id == id }) else {
            throw APIFault.missing(id)
        }
        let links = call.links
        return .json { writer in
            writer.object { writer in
                writer.key("flavor")
                write(flavor, links, &writer)
            }
        }
    }

    private static func document(_ call: APICall) -> APIResponse {
        let links = call.links
        return .json { writer in
            writer.object { writer in
                writer.key("flavors")
                writer.array { writer in
                    for flavor in call.configuration.flavors { write(flavor, links, &writer) }
                }
            }
        }
    }

    private static func write(_ flavor: Flavor, _ links: LinkWriter, _ writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("id", number(flavor.id))
            writer.member("str_id", flavor.id)
            writer.member("name", flavor.name)
            writer.member("ram", flavor.ramMiB)
            writer.member("vcpus", flavor.vcpus)
            writer.member("disk", 0)
            writer.member("ephemeral", 0)
            links.write(&writer, "flavors", flavor.id)
        }
    }

    /// The id as a number when it is all digits without a leading zero.
    private static func number(_ id: String) -> Int? {
        guard let number = Int(id), String(number) == id, number >= 0 else { return nil }
        return number
    }
}

extension Schema {
    fileprivate static let flavor = Schema.named(
        "Flavor",
        .object(
            [
                "id": .oneOf([.integer(), .null]), "str_id": .string(), "name": .string(), "ram": .integer(),
                "vcpus": .integer(), "disk": .integer(), "ephemeral": .integer(), "links": .links,
            ], required: ["id", "str_id", "name", "ram", "vcpus", "disk", "ephemeral", "links"]))
}
