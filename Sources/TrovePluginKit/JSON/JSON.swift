// SPDX-License-Identifier: Apache-2.0

/// One JSON value, as every document that crosses the boundary holds it.
///
/// Shape: integers that fit 64 bits stay integers; object keys are unique.
/// Source: RFC 8259; rule "JSON" of `trove_plugin.h`.
public enum JSON: Sendable, Hashable {
    /// `null`.
    case null
    /// `true` or `false`.
    case bool(Bool)
    /// A number written without a fraction and an exponent.
    case int(Int64)
    /// Any other number.
    case double(Double)
    /// Text.
    case string(String)
    /// A list.
    case array([JSON])
    /// A set of members.
    case object([String: JSON])
}

extension JSON {
    /// The member `key` of an object; `nil` for a missing key or another kind of value.
    public subscript(_ key: String) -> JSON? {
        guard case .object(let members) = self else { return nil }
        return members[key]
    }

    /// Whether the value is `null`.
    public var isNull: Bool { self == .null }

    /// The boolean; `nil` for another kind of value.
    public var boolValue: Bool? {
        if case .bool(let value) = self { value } else { nil }
    }

    /// The integer; `nil` for another kind of value.
    public var intValue: Int? {
        if case .int(let value) = self { Int(value) } else { nil }
    }

    /// The text; `nil` for another kind of value.
    public var stringValue: String? {
        if case .string(let value) = self { value } else { nil }
    }

    /// The elements; `nil` for another kind of value.
    public var arrayValue: [JSON]? {
        if case .array(let value) = self { value } else { nil }
    }

    /// The members; `nil` for another kind of value.
    public var objectValue: [String: JSON]? {
        if case .object(let value) = self { value } else { nil }
    }

    /// `.string(value)`, or `.null` without one.
    public static func optional(_ value: String?) -> JSON { value.map(JSON.string) ?? .null }

    /// `.int(value)`, or `.null` without one.
    public static func optional(_ value: Int?) -> JSON { value.map { .int(Int64($0)) } ?? .null }

    /// An object without the members that are `nil`.
    public static func members(_ members: [String: JSON?]) -> JSON { .object(members.compactMapValues { $0 }) }
}

// `JSON` is this module's own type, so its conformances cannot meet another image's. `nil` is no literal of it: in
// `value.isNull ? nil : value` it would silently be a `null` that is there, instead of no value.
extension JSON: ExpressibleByBooleanLiteral, ExpressibleByIntegerLiteral, ExpressibleByStringLiteral,
    ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
    /// A boolean.
    public init(booleanLiteral value: Bool) { self = .bool(value) }
    /// An integer.
    public init(integerLiteral value: Int64) { self = .int(value) }
    /// Text.
    public init(stringLiteral value: String) { self = .string(value) }
    /// A list.
    public init(arrayLiteral elements: JSON...) { self = .array(elements) }
    /// An object; of equal keys the last counts.
    public init(dictionaryLiteral elements: (String, JSON)...) {
        self = .object(Dictionary(elements, uniquingKeysWith: { _, last in last }))
    }
}
