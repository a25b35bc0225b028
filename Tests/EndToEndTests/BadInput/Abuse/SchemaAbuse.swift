// SPDX-License-Identifier: Apache-2.0

import Foundation
import Model

/// Values that fit a JSON Schema of the API's document, and values that do not.
struct SchemaAbuse {
    /// Named schemas of the document.
    let components: [String: JSONValue]

    private static let kinds: [(type: String, value: JSONValue)] = [
        ("null", .null), ("boolean", true), ("integer", 7), ("number", .double(1.5)), ("string", "wrong1"),
        ("array", []), ("object", [:]),
    ]

    /// Only what is required.
    func fitting(_ schema: JSONValue, depth: Int = 0) -> JSONValue {
        let schema = resolved(schema)
        if let value = schema["const"] ?? schema["enum"]?.arrayValue?.first { return value }
        if let first = schema["anyOf"]?.arrayValue?.first { return fitting(first, depth: depth) }
        switch schema["type"]?.stringValue {
        case "object":
            guard depth < 8 else { return [:] }
            var members: [String: JSONValue] = [:]
            for name in required(schema) {
                members[name] = fitting(schema["properties"]?[name] ?? [:], depth: depth + 1)
            }
            return .object(members)
        case "array": return .array(depth < 8 ? [fitting(schema["items"] ?? [:], depth: depth + 1)] : [])
        case "integer": return schema["minimum"] ?? 1
        case "number": return .double(1.5)
        case "boolean": return true
        case "null": return .null
        default: return depth == 0 && schema["type"] == nil ? [:] : .string(text(schema))
        }
    }

    /// Values of which each breaks one thing that the schema says.
    func unfitting(_ schema: JSONValue, depth: Int = 0) -> [JSONValue] {
        guard depth < 8 else { return [] }
        let schema = resolved(schema)
        guard let allowed = types(schema) else { return [] }
        var values = Self.kinds.filter { kind in
            !allowed.contains(kind.type) && !(kind.type == "integer" && allowed.contains("number"))
        }.map(\.value)
        if let alternatives = schema["anyOf"]?.arrayValue?.map(resolved) {
            // What one alternative refuses another may take, unless no other is of its kind.
            for kind in ["object", "array"] {
                let ofKind = alternatives.filter { types($0)?.contains(kind) == true }
                if let only = ofKind.first, ofKind.count == 1 {
                    values += unfitting(only, depth: depth + 1).filter { Self.kind(of: $0) == kind }
                }
            }
            return values
        }
        switch schema["type"]?.stringValue {
        case "object": values += objects(schema, depth)
        case "array":
            values += unfitting(schema["items"] ?? [:], depth: depth + 1).map { [$0] }
            if let maximum = schema["maxItems"]?.intValue, maximum < 100 {
                let item = fitting(schema["items"] ?? [:])
                values.append(.array(Array(repeating: item, count: maximum + 1)))
            }
        case "string":
            if schema["enum"] != nil { values.append("no such word") }
            if (schema["minLength"]?.intValue ?? 0) > 0 { values.append("") }
            if let maximum = schema["maxLength"]?.intValue, maximum < 100_000 {
                values.append(.string(String(repeating: "a", count: maximum + 1)))
            }
        case "integer":
            if let minimum = schema["minimum"]?.intValue { values.append(.int(Int64(minimum) - 1)) }
            if let maximum = schema["maximum"]?.intValue { values.append(.int(Int64(maximum) + 1)) }
        default: break
        }
        return values
    }

    private func objects(_ schema: JSONValue, _ depth: Int) -> [JSONValue] {
        guard let least = fitting(schema).objectValue else { return [] }
        var values: [JSONValue] = []
        for name in required(schema) { values.append(.object(least.filter { $0.key != name })) }
        for (name, property) in (schema["properties"]?.objectValue ?? [:]).sorted(by: { $0.key < $1.key }) {
            for value in unfitting(property, depth: depth + 1) {
                values.append(.object(least.merging([name: value]) { $1 }))
            }
        }
        if schema["additionalProperties"] == false {
            values.append(.object(least.merging(["no_such_member": 1]) { $1 }))
        }
        return values
    }

    // MARK: What a schema says

    private func resolved(_ schema: JSONValue) -> JSONValue {
        var schema = schema
        while let reference = schema["$ref"]?.stringValue {
            schema = components[String(reference.split(separator: "/").last ?? "")] ?? [:]
        }
        return schema
    }

    private func required(_ schema: JSONValue) -> [String] {
        (schema["required"]?.arrayValue ?? []).compactMap(\.stringValue).sorted()
    }

    /// The types that fit; nil: any.
    private func types(_ schema: JSONValue) -> Set<String>? {
        let schema = resolved(schema)
        if let alternatives = schema["anyOf"]?.arrayValue {
            var all: Set<String> = []
            for alternative in alternatives {
                guard let types = types(alternative) else { return nil }
                all.formUnion(types)
            }
            return all
        }
        if let value = schema["const"] { return [Self.kind(of: value)] }
        if let type = schema["type"]?.stringValue { return [type] }
        guard let several = schema["type"]?.arrayValue else { return nil }
        return Set(several.compactMap(\.stringValue))
    }

    private static func kind(of value: JSONValue) -> String {
        switch value {
        case .null: "null"
        case .bool: "boolean"
        case .int: "integer"
        case .string: "string"
        case .array: "array"
        case .object: "object"
        default: "number"
        }
    }

    private func text(_ schema: JSONValue) -> String {
        let least = schema["minLength"]?.intValue ?? 0
        let candidates = ["a1", "1", "0dd0dd0d-0000-4000-8000-000000000000", "10.0.0.1", "10.0.0.0/8", "1.0"]
        return candidates.first { text in
            guard text.count >= least else { return false }
            guard let pattern = schema["pattern"]?.stringValue else { return true }
            return text.range(of: pattern, options: .regularExpression) != nil
        } ?? String(repeating: "a", count: max(least, 1))
    }
}
