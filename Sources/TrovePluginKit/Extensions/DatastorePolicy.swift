// SPDX-License-Identifier: Apache-2.0

import CTrovePlugin

/// The policy half of a datastore: what is asked before anything exists. `trove.datastore-policy/1`.
///
/// Pure functions, without I/O and state. What an engine may lack is in `ParameterCatalogue` and `UpgradePlanning`: the
/// entries of what a type does not conform to are NULL in the C table.
public protocol DatastorePolicy {
    /// What an instance of a version needs.
    static func requirements(version: String) throws -> Requirements
    /// Returns if an instance can be made as asked, else throws `.invalidArgument` with a sentence for the tenant.
    static func validateCreate(_ request: CreateRequest) throws
    /// The engine's configuration for a size: no paths, addresses or secrets.
    static func renderConfiguration(_ request: ConfigurationRequest) throws -> String
}

/// An engine that can be configured.
public protocol ParameterCatalogue: DatastorePolicy {
    /// What may be configured.
    static func parameters(version: String) throws -> [Parameter]
    /// Returns if the values can be used together, else throws `.invalidArgument`. Each value fits its parameter already.
    static func validateConfiguration(_ values: [String: JSON], version: String) throws
}

extension ParameterCatalogue {
    /// No further rules.
    public static func validateConfiguration(_ values: [String: JSON], version: String) throws {}
}

/// An engine whose version can be changed.
public protocol UpgradePlanning: DatastorePolicy {
    /// What a change means, or `.preconditionFailed` with a sentence if there is no way from one to the other.
    static func planUpgrade(from: String, to: String) throws -> UpgradePlan
}

extension DatastorePolicy {
    /// Everything is allowed.
    public static func validateCreate(_ request: CreateRequest) throws {}
    /// Unsupported.
    public static func renderConfiguration(_ request: ConfigurationRequest) throws -> String {
        throw PluginFailure.unsupported("render_configuration")
    }
}

extension PluginExtension {
    /// Offers `type` as `trove.datastore-policy/1`.
    public static func policy(_ type: any DatastorePolicy.Type) -> PluginExtension {
        PolicyTable.type = type
        return PluginExtension(TROVE_EXT_DATASTORE_POLICY, PolicyTable.table(for: type))
    }
}

private enum PolicyTable {
    // Written once in the entry function, before the table is handed out.
    nonisolated(unsafe) static var type: (any DatastorePolicy.Type)?

    static func serve(
        _ handle: OpaquePointer?, _ request: trove_str, _ body: (any DatastorePolicy.Type, JSON) throws -> JSON?
    ) -> trove_status {
        TrovePluginKit.serve(handle) { call in
            guard let type else { throw PluginFailure(.internal, "the plugin offers no policy") }
            if let result = try body(type, try JSON(borrowed: request)) { try call.emit(result) }
        }
    }

    static func table(for type: any DatastorePolicy.Type) -> trove_datastore_policy_1 {
        var table = trove_datastore_policy_1()
        table.size = UInt32(MemoryLayout<trove_datastore_policy_1>.size)
        table.requirements = { PolicyTable.serve($0, $1, requirements) }
        table.validate_create = { PolicyTable.serve($0, $1, validateCreate) }
        table.render_configuration = { PolicyTable.serve($0, $1, renderConfiguration) }
        if type is any ParameterCatalogue.Type {
            table.parameters = { PolicyTable.serve($0, $1, parameters) }
            table.validate_configuration = { PolicyTable.serve($0, $1, validateConfiguration) }
        }
        if type is any UpgradePlanning.Type { table.plan_upgrade = { PolicyTable.serve($0, $1, planUpgrade) } }
        return table
    }
}

// One global function a table entry: JSON request in, JSON result (or none) out.

private func requirements(_ type: any DatastorePolicy.Type, _ request: JSON) throws -> JSON? {
    try type.requirements(version: try request.text("version")).json
}

private func validateCreate(_ type: any DatastorePolicy.Type, _ request: JSON) throws -> JSON? {
    try type.validateCreate(try CreateRequest(request))
    return nil
}

private func renderConfiguration(_ type: any DatastorePolicy.Type, _ request: JSON) throws -> JSON? {
    ["config_contents": .string(try type.renderConfiguration(try ConfigurationRequest(request)))]
}

private func parameters(_ type: any DatastorePolicy.Type, _ request: JSON) throws -> JSON? {
    let catalogue = try present(type as? any ParameterCatalogue.Type)
    return ["parameters": .array(try catalogue.parameters(version: try request.text("version")).map(\.json))]
}

private func validateConfiguration(_ type: any DatastorePolicy.Type, _ request: JSON) throws -> JSON? {
    guard let values = request["values"]?.objectValue else {
        throw PluginFailure(.invalidArgument, "the member 'values' must be an object")
    }
    let catalogue = try present(type as? any ParameterCatalogue.Type)
    try catalogue.validateConfiguration(values, version: try request.text("version"))
    return nil
}

private func planUpgrade(_ type: any DatastorePolicy.Type, _ request: JSON) throws -> JSON? {
    let planning = try present(type as? any UpgradePlanning.Type)
    return try planning.planUpgrade(from: try request.text("from"), to: try request.text("to")).json
}
