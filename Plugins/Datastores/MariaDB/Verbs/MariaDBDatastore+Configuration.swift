// SPDX-License-Identifier: Apache-2.0

import TrovePluginKit

extension MariaDBDatastore: ConfigurationAdministration {
    /// Sets what can be set while the server runs. The option file of the next start has everything.
    func applyConfiguration(_ values: [String: JSON], configContents: String, call: Call) throws -> [String] {
        let names = values.keys.sorted().map { (given: $0, own: Settings.spelled($0)) }
        _ = try Settings.overrides(values.filter { !$0.value.isNull })
        let wanted = Settings.parsed(configContents)
        var waiting = names.map(\.given)
        do {
            waiting = try administer(call) { connection in
                try names.filter { try !set($0.own, wanted[$0.own], connection) }.map(\.given)
            }
        } catch let failure as PluginFailure where failure.status == .unavailable {
            // A server that is down, perhaps because of its configuration, has the new one with its next start.
        }
        try keep(configContents: configContents)
        return waiting
    }

    /// - Parameter value: As the option file has it; `nil` for the server's own default.
    /// - Returns: Whether the value is in effect; one that the server takes at its start alone is not, unless it is the same.
    private func set(_ name: String, _ value: String?, _ connection: Connection) throws -> Bool {
        do {
            try connection.run(
                "SET GLOBAL \(SQLText.identifier(name)) = \(value.map(Self.expression) ?? "DEFAULT")", "set \(name)")
            return true
        } catch let failure as PluginFailure {
            switch EngineError.number(of: failure) {
            // Read-only; no value of that name for all; no default to go back to.
            case 1238, 1230: return false
            case 1193:
                throw PluginFailure(.invalidArgument, "The setting '\(name)' is not one that the engine has.")
            case 1231, 1232:
                throw PluginFailure(.invalidArgument, "The setting '\(name)' does not take this value.")
            default: throw failure
            }
        }
    }

    /// A value of an option file in SQL: numbers bare, sizes multiplied out, everything else quoted.
    private static func expression(_ value: String) -> String {
        if Int64(value) != nil || Double(value) != nil { return value }
        let units: [Character: Int64] = ["K": 1 << 10, "M": 1 << 20, "G": 1 << 30]
        if let unit = value.last.flatMap({ units[$0] }), let number = Int64(value.dropLast()) {
            return String(number * unit)
        }
        return SQLText.literal(value)
    }
}
