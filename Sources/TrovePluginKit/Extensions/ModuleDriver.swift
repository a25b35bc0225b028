// SPDX-License-Identifier: Apache-2.0

import CTrovePlugin

/// A module for an instance: `module-request`.
public struct ModuleRequest: Sendable {
    /// The module's id.
    public var id: String
    /// The module's name.
    public var name: String
    /// The type that the driver serves.
    public var type: String
    /// What the module holds, decoded.
    public var contents: [UInt8]
    /// Lower-case hexadecimal MD5 of the contents; `nil` when it was not sent.
    public var md5: String?

    init(_ json: JSON) throws {
        id = json["id"]?.stringValue ?? ""
        name = try json.text("name")
        type = try json.text("type")
        md5 = json["md5"]?.stringValue
        guard let bytes = Base64Text.decode(try json.text("contents")) else {
            throw PluginFailure(.invalidArgument, "the module's contents are not base64")
        }
        contents = bytes
    }
}

/// Applies modules of one type: `trove.module-driver/1`. Every function is idempotent.
public protocol ModuleDriver {
    /// The module type that it serves; lower-case words and `_`.
    static var type: String { get }
    /// Makes the module effective on this instance, and says what it did.
    static func apply(_ module: ModuleRequest, call: Call) throws -> String
}

/// A driver that looks at contents before they are applied.
public protocol ModuleValidating: ModuleDriver {
    /// Returns if the contents can be used, else throws `.invalidArgument`.
    static func validate(_ module: ModuleRequest, call: Call) throws
}

/// A driver whose modules can be taken away.
public protocol ModuleRemoving: ModuleDriver {
    /// Takes the module away; what is gone already is fine.
    static func remove(_ module: ModuleRequest, call: Call) throws
}

extension PluginExtension {
    /// Offers `type` as `trove.module-driver/1`.
    public static func moduleDriver(_ type: any ModuleDriver.Type) -> PluginExtension {
        ModuleTable.driver = type
        var table = trove_module_driver_1()
        table.size = UInt32(MemoryLayout<trove_module_driver_1>.size)
        table.type = Runtime.constant(type.type)
        table.apply = { ModuleTable.serve($0, $1, applyModule) }
        if type is any ModuleValidating.Type { table.validate = { ModuleTable.serve($0, $1, validateModule) } }
        if type is any ModuleRemoving.Type { table.remove = { ModuleTable.serve($0, $1, removeModule) } }
        return PluginExtension(TROVE_EXT_MODULE_DRIVER, table)
    }
}

private enum ModuleTable {
    // Written once in the entry function, before the table is handed out.
    nonisolated(unsafe) static var driver: (any ModuleDriver.Type)?

    static func serve(
        _ handle: OpaquePointer?, _ request: trove_str,
        _ body: (any ModuleDriver.Type, ModuleRequest, Call) throws -> Void
    ) -> trove_status {
        TrovePluginKit.serve(handle) { call in
            guard let driver else { throw PluginFailure(.internal, "the plugin offers no module driver") }
            try body(driver, try ModuleRequest(try JSON(borrowed: request)), call)
        }
    }
}

private func validateModule(_ driver: any ModuleDriver.Type, _ module: ModuleRequest, _ call: Call) throws {
    try (driver as? any ModuleValidating.Type)?.validate(module, call: call)
}

private func applyModule(_ driver: any ModuleDriver.Type, _ module: ModuleRequest, _ call: Call) throws {
    try call.emit(["message": .string(try driver.apply(module, call: call))])
}

private func removeModule(_ driver: any ModuleDriver.Type, _ module: ModuleRequest, _ call: Call) throws {
    guard let driver = driver as? any ModuleRemoving.Type else { throw PluginFailure.unsupported("remove") }
    try driver.remove(module, call: call)
}
