// SPDX-License-Identifier: Apache-2.0

import Model
import StateStore

/// `/datastores/…/parameters`. Source: REST contract §9.1.
enum ParameterRoutes {
    static let routes: [Route<CoreRoute>] = [
        Route(
            "GET", "/datastores/{datastore}/versions/{version}/parameters",
            RouteDescription(
                "list_parameters", "What may be configured in a version.", rule: "configuration-parameter:index",
                answer: .document(ParameterView.list, .array(of: .parameter))), list),
        Route(
            "GET", "/datastores/{datastore}/versions/{version}/parameters/{name}",
            RouteDescription(
                "show_parameter", "One parameter.", rule: "configuration-parameter:show", answer: .parameter), show),
        Route(
            "GET", "/datastores/versions/{version}/parameters",
            RouteDescription(
                "list_parameters_by_version", "What may be configured in a version, by its id alone.",
                rule: "configuration-parameter:index_by_version",
                answer: .document(ParameterView.list, .array(of: .parameter))), listByVersion),
        Route(
            "GET", "/datastores/versions/{version}/parameters/{name}",
            RouteDescription(
                "show_parameter_by_version", "One parameter, by the version's id alone.",
                rule: "configuration-parameter:show_by_version", answer: .parameter), showByVersion),
    ]

    /// `{"configuration-parameters": [p]}`
    @Sendable private static func list(_ call: APICall) async throws -> APIResponse {
        try call.require("configuration-parameter:index")
        return ParameterView.listing(try await ParameterCatalogue.load(try await named(call), call))
    }

    /// p, in no wrapper.
    @Sendable private static func show(_ call: APICall) async throws -> APIResponse {
        try call.require("configuration-parameter:show")
        let catalogue = try await ParameterCatalogue.load(try await named(call), call)
        return ParameterView.document(try catalogue.require(call.parameter(2)), catalogue.version)
    }

    @Sendable private static func listByVersion(_ call: APICall) async throws -> APIResponse {
        try call.require("configuration-parameter:index_by_version")
        return ParameterView.listing(try await ParameterCatalogue.load(try await byID(call), call))
    }

    @Sendable private static func showByVersion(_ call: APICall) async throws -> APIResponse {
        try call.require("configuration-parameter:show_by_version")
        let catalogue = try await ParameterCatalogue.load(try await byID(call), call)
        return ParameterView.document(try catalogue.require(call.parameter(1)), catalogue.version)
    }

    private static func named(_ call: APICall) async throws -> DatastoreVersionRecord {
        let (name, version) = (call.parameter(0), call.parameter(1))
        return try await call.services.store.read { transaction in
            try DatastoreLookup.version(version, of: DatastoreLookup.datastore(name, transaction), transaction)
        }
    }

    /// The version whose id is the first parameter. Throws 400 for one that is not there.
    static func byID(_ call: APICall) async throws -> DatastoreVersionRecord {
        let id = call.parameter(0)
        guard let version = try await call.services.store.read({ try $0.datastores.version(id) }) else {
            throw APIFault(.datastoreVersionNotFound, "Datastore version '\(id)' cannot be found.")
        }
        return version
    }
}
