// SPDX-License-Identifier: Apache-2.0

import Glibc
import Model

/// The boundary's JSON Schemas, and the part of JSON Schema that they and plugins' routes use.
///
/// Source: JSON Schema 2020-12; keywords type, const, enum, minimum, maximum, exclusiveMinimum, minItems, maxItems,
/// maxLength, required, properties, additionalProperties, items, $ref to a file beside.
struct SchemaSet: Sendable {
    private let schemas: [String: JSONValue]

    /// - Throws: `ConformanceError` naming the file.
    init(directory: String) throws(ConformanceError) {
        var schemas: [String: JSONValue] = [:]
        for name in FileTree.names(directory) where name.hasSuffix(".json") {
            let path = directory + "/" + name
            guard let bytes = FileTree.read(path, limit: 1 << 20) else {
                throw ConformanceError("the schema \(path) cannot be read")
            }
            do { schemas[name] = try JSONValue(parsing: bytes) } catch {
                throw ConformanceError("the schema \(path) is broken: \(error)")
            }
        }
        guard schemas["plugin.json"] != nil else {
            throw ConformanceError("no schemas in \(directory); install the SDK or give their directory")
        }
        self.schemas = schemas
    }

    /// What is wrong with a document by a named schema, e.g. `launch`; each problem with its place.
    func problems(_ document: JSONValue, _ name: String) -> [String] {
        guard let schema = schemas[name + ".json"] else { return ["there is no schema \(name)"] }
        return problems(document, schema, name)
    }

    /// The same by a schema that is at hand.
    func problems(_ value: JSONValue, _ schema: JSONValue, _ place: String) -> [String] {
        if let reference = schema["$ref"]?.stringValue {
            guard let target = schemas[reference] else { return ["\(place): there is no schema \(reference)"] }
            return problems(value, target, place)
        }
        return shape(value, schema, place) + range(value, schema, place) + members(value, schema, place)
            + items(value, schema, place)
    }

    private func shape(_ value: JSONValue, _ schema: JSONValue, _ place: String) -> [String] {
        var found: [String] = []
        if let type = schema["type"] {
            let types = (type.arrayValue ?? [type]).compactMap(\.stringValue)
            if !types.contains(where: { Self.matches(value, $0) }) {
                found.append("\(place) is not \(types.joined(separator: " or "))")
            }
        }
        if let words = schema["enum"]?.arrayValue, !words.contains(value) {
            found.append("\(place) is not one of the allowed values")
        }
        if let word = schema["const"], word != value { found.append("\(place) is not \(word.serialized)") }
        return found
    }

    private func range(_ value: JSONValue, _ schema: JSONValue, _ place: String) -> [String] {
        var found: [String] = []
        if let number = value.doubleValue {
            if let least = schema["minimum"]?.doubleValue, number < least { found.append("\(place) is below \(least)") }
            if let most = schema["maximum"]?.doubleValue, number > most { found.append("\(place) is above \(most)") }
            if let floor = schema["exclusiveMinimum"]?.doubleValue, number <= floor {
                found.append("\(place) is not above \(floor)")
            }
        }
        if let most = schema["maxLength"]?.intValue, let text = value.stringValue, text.unicodeScalars.count > most {
            found.append("\(place) is longer than \(most)")
        }
        return found
    }

    private func members(_ value: JSONValue, _ schema: JSONValue, _ place: String) -> [String] {
        guard let members = value.objectValue else { return [] }
        var found: [String] = []
        for key in (schema["required"]?.arrayValue ?? []).compactMap(\.stringValue) where members[key] == nil {
            found.append("\(place) has no member \(key)")
        }
        let known = schema["properties"]?.objectValue ?? [:]
        for (key, member) in members.sorted(by: { $0.key < $1.key }) {
            if let part = known[key] {
                found += problems(member, part, "\(place).\(key)")
            } else if let rest = schema["additionalProperties"], rest.boolValue != true {
                if rest.boolValue == false {
                    found.append("\(place) has the unknown member \(key)")
                } else {
                    found += problems(member, rest, "\(place).\(key)")
                }
            }
        }
        return found
    }

    private func items(_ value: JSONValue, _ schema: JSONValue, _ place: String) -> [String] {
        guard let items = value.arrayValue else { return [] }
        var found: [String] = []
        if let least = schema["minItems"]?.intValue, items.count < least {
            found.append("\(place) has fewer than \(least) items")
        }
        if let most = schema["maxItems"]?.intValue, items.count > most {
            found.append("\(place) has more than \(most) items")
        }
        guard let part = schema["items"] else { return found }
        for (index, item) in items.enumerated() { found += problems(item, part, "\(place)[\(index)]") }
        return found
    }

    private static func matches(_ value: JSONValue, _ type: String) -> Bool {
        switch (type, value) {
        case ("null", .null), ("boolean", .bool), ("integer", .int), ("number", .int), ("number", .double),
            ("string", .string), ("array", .array), ("object", .object):
            true
        default: false
        }
    }
}
