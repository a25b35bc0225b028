// SPDX-License-Identifier: Apache-2.0

import Model
import PluginHost

/// What a text of an XML body may stand for: everything in XML is text, and what a route declares says where a number, a
/// truth value, a list or nothing is meant.
///
/// A text that does not fit stays one, so that the route's own check tells what is wrong with it.
indirect enum BodyShape: Sendable {
    case any
    case text
    case integer
    case number
    case boolean
    case null
    case list(of: BodyShape)
    case object([String: BodyShape], others: BodyShape)
    case oneOf([BodyShape])

    /// The shape of the member or child called `name`.
    func member(_ name: String) -> BodyShape {
        switch self {
        case .object(let members, let others): members[name] ?? others
        case .oneOf(let shapes): shapes.first(where: \.isObject)?.member(name) ?? .any
        default: .any
        }
    }

    /// The shape of the elements where a list is meant.
    var element: BodyShape? {
        switch self {
        case .list(let element): element
        case .oneOf(let shapes): shapes.lazy.compactMap(\.element).first
        default: nil
        }
    }

    /// The value of a text.
    func value(_ text: String) -> JSONValue {
        switch self {
        case .integer: text.hasPrefix("+") ? .string(text) : Int64(text).map(JSONValue.int) ?? .string(text)
        case .number: Self.number(text) ?? .string(text)
        case .boolean:
            switch text.lowercased() {
            case "true": .bool(true)
            case "false": .bool(false)
            default: .string(text)
            }
        case .oneOf(let shapes): Self.value(text, shapes)
        default: .string(text)
        }
    }

    /// The value of an element without any content: nothing where that may be, the empty text where a text is meant.
    var emptyValue: JSONValue {
        switch self {
        case .null: .null
        case .text: ""
        case .list: []
        case .oneOf(let shapes) where shapes.contains { $0.emptyValue.isNull }: .null
        case .oneOf(let shapes): shapes.first?.emptyValue ?? [:]
        default: [:]
        }
    }

    /// Texts inside of `value` as this shape means them.
    func reading(_ value: JSONValue) -> JSONValue {
        switch value {
        case .string(let text): self.value(text)
        case .array(let items): .array(items.map { (element ?? .any).reading($0) })
        case .object(let members):
            .object(Dictionary(uniqueKeysWithValues: members.map { ($0.key, member($0.key).reading($0.value)) }))
        default: value
        }
    }

    private var isObject: Bool { if case .object = self { true } else { false } }

    /// A text is one where it may be; the routes read digits in it as they do in JSON.
    private static func value(_ text: String, _ shapes: [BodyShape]) -> JSONValue {
        let values = shapes.map { $0.value(text) }
        let hasText = shapes.contains { if case .text = $0 { true } else { false } }
        return hasText ? .string(text) : values.first { $0.stringValue == nil } ?? .string(text)
    }

    private static func number(_ text: String) -> JSONValue? {
        guard let value = try? JSONValue(parsing: text), value.doubleValue != nil else { return nil }
        return value
    }
}

// MARK: - What routes declare

extension BodyShape {
    init(_ schema: Schema) {
        switch schema {
        case .any: self = .any
        case .string, .enumeration: self = .text
        case .integer: self = .integer
        case .number: self = .number
        case .boolean: self = .boolean
        case .null: self = .null
        case .oneOf(let alternatives): self = .oneOf(alternatives.map(BodyShape.init))
        case .array(let element, _, _): self = .list(of: BodyShape(element))
        case .object(let members, _, _): self = .object(members.mapValues(BodyShape.init), others: .any)
        case .map(let element): self = .object([:], others: BodyShape(element))
        case .named(_, let schema): self = BodyShape(schema)
        }
    }

    /// Of a plugin's schema. Source: `JSONSchema` for the keywords there are.
    init(_ schema: JSONValue) {
        let alternatives = (schema["oneOf"] ?? schema["anyOf"])?.arrayValue ?? []
        let names = schema["type"]?.arrayValue?.compactMap(\.stringValue) ?? [schema["type"]?.stringValue ?? ""]
        let shapes = alternatives.map(BodyShape.init(_:)) + names.map { Self.shape($0, schema) }
        let known = shapes.filter { if case .any = $0 { false } else { true } }
        self = known.isEmpty ? .any : known.count == 1 ? known[0] : .oneOf(known)
    }

    private static func shape(_ type: String, _ schema: JSONValue) -> BodyShape {
        switch type {
        case "string": return .text
        case "integer": return .integer
        case "number": return .number
        case "boolean": return .boolean
        case "null": return .null
        case "array": return .list(of: schema["items"].map(BodyShape.init(_:)) ?? .any)
        default:
            guard type == "object" || schema["properties"] != nil else { return .any }
            return .object(
                (schema["properties"]?.objectValue ?? [:]).mapValues(BodyShape.init(_:)),
                others: schema["additionalProperties"].map(BodyShape.init(_:)) ?? .any)
        }
    }

    /// Of the arguments of a plugin's action. Digits are read by the plugin boundary itself.
    init(_ action: ActionDeclaration) {
        let members = action.arguments.compactMap { argument -> (String, BodyShape)? in
            switch argument.type {
            case .bool: (argument.name, .boolean)
            case .f64: (argument.name, .number)
            default: nil
            }
        }
        self = .object(Dictionary(members, uniquingKeysWith: { first, _ in first }), others: .any)
    }
}
