// SPDX-License-Identifier: Apache-2.0

package import Model

/// Databases and users as the bus carries them: member names with an underscore in front.
///
/// Shape: database `{"_name", "_character_set"?, "_collate"?}`; user `{"_name", "_password"?, "_host"?, "_databases":
/// [database], "_is_root"?}`. The plugin boundary and the model use the same names without underscores.
/// Source: guest RPC of the reference service, "Databases and users".
package enum WireForm {
    private static let names = ["name", "character_set", "collate", "password", "host", "databases", "is_root"]
    private static let toBusNames = Dictionary(uniqueKeysWithValues: names.map { ($0, "_" + $0) })
    private static let fromBusNames = Dictionary(uniqueKeysWithValues: names.map { ("_" + $0, $0) })

    /// A document of the plugin boundary with the bus's member names, at any depth.
    package static func toBus(_ value: JSONValue) -> JSONValue { renamed(value, toBusNames) }

    /// A document of the bus with the plugin boundary's member names, at any depth.
    package static func fromBus(_ value: JSONValue) -> JSONValue { renamed(value, fromBusNames) }

    private static func renamed(_ value: JSONValue, _ table: [String: String]) -> JSONValue {
        switch value {
        case .array(let items): .array(items.map { renamed($0, table) })
        case .object(let members):
            .object(
                Dictionary(
                    members.map { (table[$0.key] ?? $0.key, renamed($0.value, table)) },
                    uniquingKeysWith: { first, _ in first }
                )
            )
        default: value
        }
    }

    /// What names a user in `delete_user`.
    package static func userReference(name: String, host: String?) -> JSONValue {
        var members: [String: JSONValue] = ["_name": .string(name)]
        if let host { members["_host"] = .string(host) }
        return .object(members)
    }
}

extension DatabaseSpecification {
    /// The bus form, `{"_name", "_character_set"?, "_collate"?}`.
    package var busForm: JSONValue { WireForm.toBus(json) }

    /// Reads the bus form; `nil` without a name.
    package init?(busForm: JSONValue) { self.init(json: WireForm.fromBus(busForm)) }
}

extension UserSpecification {
    /// The bus form, `{"_name", "_password", "_host"?, "_databases"}`; it holds the password in clear.
    package var busForm: JSONValue { WireForm.toBus(json) }

    /// Reads the bus form; `nil` without a name or a password.
    package init?(busForm: JSONValue) { self.init(json: WireForm.fromBus(busForm)) }
}
