// SPDX-License-Identifier: Apache-2.0

package import Model

/// The types that an argument of an action may have; the raw value is the manifest's word.
package enum ActionType: String, Sendable, Hashable, CaseIterable {
    /// JSON true or false; `int32_t` 0 or 1.
    case bool
    /// A JSON integer, or its decimal digits as text.
    case i32
    case i64
    case u64
    /// A finite JSON number.
    case f64
    /// JSON text; UTF-8 that may hold NUL.
    case str
    /// JSON text in base64; any bytes.
    case bytes
    /// Any JSON value; handed on as its text.
    case json

    /// Whether it crosses as `const trove_str *`, which can be NULL.
    package var isBorrowed: Bool { self == .str || self == .bytes || self == .json }

    package var isInteger: Bool { self == .i32 || self == .i64 || self == .u64 }
}

/// One argument, as the manifest declares it.
package struct ActionArgument: Sendable, Hashable {
    /// Bytes that an argument may have when its declaration does not say.
    package static let defaultMaxBytes = 1 << 20

    /// JSON key.
    package var name: String
    package var type: ActionType
    package var summary: String
    /// May be absent: then it has its default, or is NULL.
    package var isOptional: Bool
    /// Never logged, never echoed.
    package var isSecret: Bool
    package var defaultValue: JSONValue?
    /// Every value that it may have; empty for any.
    package var allowed: [JSONValue]
    /// Inclusive; an integer for integer types.
    package var minimum: JSONValue?
    package var maximum: JSONValue?
    /// Of what the plugin gets, for `str`, `bytes` and `json`.
    package var maxBytes: Int?
}

/// An operation that a plugin invents, as its manifest declares it.
package struct ActionDeclaration: Sendable, Hashable {
    /// Arguments of one action. Source: `TROVE_ACTION_ARGS_MAX`.
    package static let argumentLimit = 8
    /// Actions of one plugin.
    package static let limit = 256

    /// JSON key of the action.
    package var name: String
    package var summary: String
    /// Name of the policy rule.
    package var policy: String
    /// Where it runs.
    package var role: PluginRole
    /// Changes nothing; may be repeated.
    package var isReadOnly: Bool
    package var arguments: [ActionArgument]
    /// Objects of arguments, for the conformance kit.
    package var samples: [JSONValue]
}

extension ActionDeclaration {
    /// The member of the manifest's `actions`.
    package var json: JSONValue {
        .object([
            "name": .string(name), "summary": .string(summary), "policy": .string(policy),
            "role": .string(role.rawValue), "read_only": .bool(isReadOnly), "args": .array(arguments.map(\.json)),
            "samples": .array(samples),
        ])
    }
}

extension ActionArgument {
    /// The member of an action's `args`.
    package var json: JSONValue {
        var members: [String: JSONValue] = [
            "name": .string(name), "type": .string(type.rawValue), "summary": .string(summary),
            "optional": .bool(isOptional), "secret": .bool(isSecret),
        ]
        members["default"] = defaultValue
        members["minimum"] = minimum
        members["maximum"] = maximum
        if !allowed.isEmpty { members["enum"] = .array(allowed) }
        if let maxBytes { members["max_bytes"] = .int(Int64(maxBytes)) }
        return .object(members)
    }
}
