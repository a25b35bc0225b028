// SPDX-License-Identifier: Apache-2.0

import Model

/// Writes schemas as JSON Schema 2020-12, named ones once.
struct SchemaDocument {
    /// Named schemas that were written, by name.
    private(set) var components: [String: JSONValue] = [:]

    mutating func json(_ schema: Schema) -> JSONValue {
        switch schema {
        case .any: return [:]
        case .boolean: return ["type": "boolean"]
        case .null: return ["type": "null"]
        case .number: return ["type": "number"]
        case .string(let minimum, let maximum, let pattern):
            var members: [String: JSONValue] = ["type": "string"]
            if minimum > 0 { members["minLength"] = .int(Int64(minimum)) }
            members["maxLength"] = maximum.map { .int(Int64($0)) }
            members["pattern"] = pattern.map { .string($0.source) }
            return .object(members)
        case .integer(let minimum, let maximum):
            var members: [String: JSONValue] = ["type": "integer"]
            members["minimum"] = minimum.map { .int(Int64($0)) }
            members["maximum"] = maximum.map { .int(Int64($0)) }
            return .object(members)
        case .enumeration(let words): return ["type": "string", "enum": .array(words.map(JSONValue.string))]
        case .oneOf(let alternatives): return ["anyOf": .array(alternatives.map { json($0) })]
        case .array(let item, let maximum, let isUnique):
            var members: [String: JSONValue] = ["type": "array", "items": json(item)]
            members["maxItems"] = maximum.map { .int(Int64($0)) }
            if isUnique { members["uniqueItems"] = true }
            return .object(members)
        case .object(let properties, let required, let isClosed):
            var members: [String: JSONValue] = ["type": "object"]
            if !properties.isEmpty { members["properties"] = .object(properties.mapValues { json($0) }) }
            if !required.isEmpty { members["required"] = .array(required.sorted().map(JSONValue.string)) }
            if isClosed { members["additionalProperties"] = false }
            return .object(members)
        case .map(let element): return ["type": "object", "additionalProperties": json(element)]
        case .named(let name, let schema):
            if components[name] == nil {
                // Before its own members, so that one that holds itself ends.
                components[name] = [:]
                components[name] = json(schema)
            }
            return Self.reference(name)
        }
    }

    /// A schema that is written as it is.
    mutating func json(_ name: String, _ schema: JSONValue) -> JSONValue {
        components[name] = schema
        return Self.reference(name)
    }

    private static func reference(_ name: String) -> JSONValue { ["$ref": .string("#/components/schemas/" + name)] }
}
