// SPDX-License-Identifier: Apache-2.0

import CTrovePlugin
package import Model

/// What can be done with a module; `apply` validates first.
package enum ModuleFunction: String, Sendable, Hashable, CaseIterable {
    case validate
    case apply
    case remove
}

extension PluginRegistry {
    /// The plugin that serves a module type here.
    package func moduleDriver(_ type: String) -> LoadedPlugin? {
        plugins.first { $0.moduleType == type && isActive($0.manifest) }
    }

    /// Asks the driver of a module's type.
    ///
    /// - Parameter module: module-request document; `type` decides.
    /// - Returns: What the driver emitted; `null` without.
    /// - Throws: `notFound` without a driver for the type, `unsupported` for a removal that the driver does not have, what
    ///   the driver reports.
    package func module(
        _ function: ModuleFunction, _ module: JSONValue, _ options: CallOptions
    ) async throws(PluginError) -> JSONValue {
        let type = module["type"]?.stringValue ?? ""
        guard let plugin = moduleDriver(type), let table = plugin.tables.moduleDriver?.pointee else {
            throw PluginError(.notFound, "no plugin here serves modules of type '\(type)'")
        }
        switch function {
        case .validate:
            guard let validate = table.validate else { return .null }
            return try await plugin.perform("module.validate", module, options, validate)
        case .apply:
            if let validate = table.validate {
                _ = try await plugin.perform("module.validate", module, options, validate)
            }
            return try await plugin.perform("module.apply", module, options, table.apply)
        case .remove:
            return try await plugin.perform("module.remove", module, options, table.remove)
        }
    }
}

extension LoadedPlugin {
    /// The module type that it serves; nil without a driver.
    package var moduleType: String? { tables.moduleDriver.map { String(cString: $0.pointee.type) } }

    fileprivate typealias Entry = @convention(c) (OpaquePointer?, trove_str) -> trove_status

    fileprivate func perform(
        _ name: String, _ request: JSONValue, _ options: CallOptions, _ entry: Entry?
    ) async throws(PluginError) -> JSONValue {
        guard let entry else { throw PluginError(.unsupported, pluginID: manifest.id, "has no \(name)") }
        let call = PluginCall(host: host, function: name, options: options)
        let bytes = request.serialized
        let output = try await Invocation(call, on: lane) { call, token in entry(token, call.borrow(bytes)) }.perform()
        return try Document.parse(output, name, manifest.id)
    }
}
