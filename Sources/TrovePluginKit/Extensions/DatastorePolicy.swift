// SPDX-License-Identifier: Apache-2.0

import CTrovePlugin

/// The policy half of a datastore: what is asked before anything exists. `trove.datastore-policy/1`.
///
/// Pure functions, without I/O and state.
public protocol DatastorePolicy {
    /// What an instance of a version needs.
    static func requirements(version: String) throws -> Requirements
    /// Returns if an instance can be made as asked, else throws `.invalidArgument` with a sentence for the tenant.
    static func validateCreate(_ request: CreateRequest) throws
    /// The engine's configuration for a size: no paths, addresses or secrets.
    static func renderConfiguration(_ request: ConfigurationRequest) throws -> String
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
        return PluginExtension(TROVE_EXT_DATASTORE_POLICY, PolicyTable.table)
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

    static let table = trove_datastore_policy_1(
        size: UInt32(MemoryLayout<trove_datastore_policy_1>.size), flags: 0,
        requirements: {
            PolicyTable.serve($0, $1) { type, request in
                try type.requirements(version: try request.text("version")).json
            }
        },
        validate_create: {
            PolicyTable.serve($0, $1) { type, request in
                try type.validateCreate(try CreateRequest(request))
                return nil
            }
        },
        render_configuration: {
            PolicyTable.serve($0, $1) { type, request in
                let contents = try type.renderConfiguration(try ConfigurationRequest(request))
                return ["config_contents": .string(contents)]
            }
        },
        parameters: nil,
        validate_configuration: nil,
        plan_upgrade: nil
    )
}
