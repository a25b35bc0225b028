// SPDX-License-Identifier: Apache-2.0

import Model
import StateStore

/// `/mgmt/datastores/versions/{vid}/parameters`: parameters that administrators define. One of a plugin's name takes the place
/// of the plugin's until it is removed. Source: REST contract §17.
enum ParameterManagementRoutes {
    private static let path = "/mgmt/datastores/versions/{version}/parameters"

    static let routes: [Route<CoreRoute>] = [
        Route(
            "GET", path,
            RouteDescription(
                "list_managed_parameters", "For administrators: what may be configured in a version.",
                answer: .document(ParameterView.list, .array(of: .managedParameter))), list),
        Route(
            "POST", path,
            RouteDescription(
                "create_managed_parameter", "For administrators: defines a parameter.", body: schema,
                answer: .managedParameter), create),
        Route(
            "GET", path + "/{name}",
            RouteDescription(
                "show_managed_parameter", "For administrators: one parameter.", answer: .managedParameter), show),
        Route(
            "PUT", path + "/{name}",
            RouteDescription(
                "update_managed_parameter", "For administrators: defines a parameter that there is anew.",
                body: schema, answer: .managedParameter), update),
        Route(
            "DELETE", path + "/{name}",
            RouteDescription(
                "delete_managed_parameter", "For administrators: forgets what was defined.", status: 204), delete),
    ]

    private static let member = "configuration-parameter"
    private static let size = Schema.oneOf([.integer(), .string(minimum: 1, maximum: 20), .null])
    private static let schema = Schema.object(
        [
            member: .object(
                [
                    "name": .string(minimum: 1, maximum: 128), "restart_required": .zeroOrOne,
                    "data_type": .string(
                        minimum: 1, maximum: 128,
                        pattern: TextPattern(source: "integer|string") { text in
                            text.contains("integer") || text.contains("string")
                        }),
                    "max_size": size, "min_size": size,
                ], required: ["name", "restart_required", "data_type"])
        ], required: [member])

    @Sendable private static func list(_ call: APICall) async throws -> APIResponse {
        try requireAdministrator(call)
        let version = try await ParameterRoutes.byID(call)
        return ParameterView.managementListing(try await ParameterCatalogue.load(version, call))
    }

    @Sendable private static func show(_ call: APICall) async throws -> APIResponse {
        try requireAdministrator(call)
        let catalogue = try await ParameterCatalogue.load(try await ParameterRoutes.byID(call), call)
        return ParameterView.managementDocument(try catalogue.require(call.parameter(1)), catalogue.version)
    }

    @Sendable private static func create(_ call: APICall) async throws -> APIResponse {
        try requireAdministrator(call)
        let version = try await ParameterRoutes.byID(call)
        let record = try await record(nil, version, call)
        do {
            try await call.services.store.write(.durable) { try $0.parameters.insert(record) }
        } catch let error as StateStoreError where error.code == .conflict {
            throw APIFault(400, "Parameter \(record.name) already exists in the database.")
        }
        return ParameterView.managementDocument(ConfigurationParameter(record), version)
    }

    /// A plugin's parameter is defined from now on.
    @Sendable private static func update(_ call: APICall) async throws -> APIResponse {
        try requireAdministrator(call)
        let catalogue = try await ParameterCatalogue.load(try await ParameterRoutes.byID(call), call)
        let record = try await record(call.parameter(1), catalogue.version, call)
        guard catalogue[record.name] != nil else { throw missing(record.name) }
        try await call.services.store.write(.durable) { transaction in
            guard try !transaction.parameters.update(record) else { return }
            try transaction.parameters.insert(record)
        }
        return ParameterView.managementDocument(ConfigurationParameter(record), catalogue.version)
    }

    /// 204, empty. A plugin's parameter of this name is as the plugin says again.
    @Sendable private static func delete(_ call: APICall) async throws -> APIResponse {
        try requireAdministrator(call)
        let (version, name) = (try await ParameterRoutes.byID(call), call.parameter(1))
        let wasThere = try await call.services.store.write(.durable) {
            try $0.parameters.remove(datastoreVersionID: version.id, name: name)
        }
        guard wasThere else { throw missing(name) }
        return APIResponse(status: 204)
    }

    /// - Parameter name: In the place of the body's.
    private static func record(
        _ name: String?, _ version: DatastoreVersionRecord, _ call: APICall
    ) async throws -> ParameterRecord {
        let body = try await call.body()
        try schema.validate(body)
        let values = body[member] ?? [:]
        let record = ParameterRecord(
            id: call.services.random.uuid(), datastoreVersionID: version.id,
            name: name ?? values["name"]?.stringValue ?? "",
            isRestartRequired: values["restart_required"]?.intValue == 1,
            dataType: values["data_type"]?.stringValue ?? "", maximum: try size(values, "max_size"),
            minimum: try size(values, "min_size"))
        if ConfigurationParameter(record).kind == .integer {
            guard record.maximum != nil else { throw APIFault(400, "max_size is required for integer data type.") }
            guard record.minimum != nil else { throw APIFault(400, "min_size is required for integer data type.") }
        }
        if let maximum = record.maximum, let minimum = record.minimum, maximum < minimum {
            throw APIFault(400, "max_size must be greater than or equal to min_size.")
        }
        return record
    }

    private static func size(_ values: JSONValue, _ name: String) throws(APIFault) -> Int? {
        guard let value = values[name], !value.isNull else { return nil }
        guard let number = value.intValue ?? value.stringValue.flatMap({ Int($0) }) else {
            throw APIFault(400, "Validation error: \(member)['\(name)'] \(value.quoted) is not an integer")
        }
        return number
    }

    private static func missing(_ name: String) -> APIFault {
        APIFault(400, "Parameter \(name) does not exist in the database.")
    }

    /// Source: REST contract §1.10, management handlers.
    private static func requireAdministrator(_ call: APICall) throws(APIFault) {
        guard call.context.isAdmin else { throw APIFault(.forbidden, "User does not have admin privileges.") }
    }
}
