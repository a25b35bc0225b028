// SPDX-License-Identifier: Apache-2.0

/// The part of JSON Schema that plugins may use: `type`, `enum`, `const`, bounds of numbers, texts, lists and objects,
/// `pattern`, `properties`, `required`, `additionalProperties`, `items`, `oneOf`, `anyOf`, `allOf`, `not`.
///
/// A schema with another keyword that would restrict something is refused, never half checked. Annotations are ignored.
/// Source: JSON Schema 2020-12, core and validation.
package struct JSONSchema: Sendable {
    private let schema: JSONValue

    static let types: Set<String> = ["object", "array", "string", "integer", "number", "boolean", "null"]

    private static let annotations: Set<String> = [
        "$schema", "$id", "$comment", "title", "description", "default", "examples", "deprecated", "readOnly",
        "writeOnly", "format", "contentEncoding", "contentMediaType",
    ]

    /// - Throws: `JSONError` naming the place of what is wrong or not known.
    package init(_ schema: JSONValue) throws(JSONError) {
        try Self.check(schema, at: "", depth: 0)
        self.schema = schema
    }

    private static func check(_ schema: JSONValue, at place: String, depth: Int) throws(JSONError) {
        let shown = place.isEmpty ? "the schema" : "the schema at \(place)"
        guard depth <= 32 else { throw JSONError("\(shown) is nested too deeply") }
        if schema.boolValue != nil { return }
        guard let members = schema.objectValue else { throw JSONError("\(shown) must be an object or a boolean") }
        for (name, value) in members.sorted(by: { $0.key < $1.key }) where !annotations.contains(name) {
            let own = "\(place)/\(name)"
            switch name {
            case "type":
                let names = value.arrayValue?.map(\.stringValue) ?? [value.stringValue]
                guard !names.isEmpty, names.allSatisfy({ $0.map(types.contains) ?? false }) else {
                    throw JSONError("\(shown): 'type' must be one of \(types.sorted().joined(separator: ", "))")
                }
            case "enum":
                guard value.arrayValue?.isEmpty == false else { throw JSONError("\(shown): 'enum' must be a list") }
            case "const": break
            case "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum":
                guard value.doubleValue != nil else { throw JSONError("\(shown): '\(name)' must be a number") }
            case "minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties":
                guard let count = value.intValue, count >= 0 else {
                    throw JSONError("\(shown): '\(name)' must be an integer of at least 0")
                }
            case "uniqueItems":
                guard value.boolValue != nil else { throw JSONError("\(shown): '\(name)' must be true or false") }
            case "pattern":
                guard let text = value.stringValue, (try? Regex(text)) != nil else {
                    throw JSONError("\(shown): 'pattern' must be a regular expression")
                }
            case "required":
                guard let names = value.arrayValue, names.allSatisfy({ $0.stringValue != nil }) else {
                    throw JSONError("\(shown): 'required' must be a list of names")
                }
            case "properties":
                guard let properties = value.objectValue else {
                    throw JSONError("\(shown): 'properties' must be an object")
                }
                for (key, property) in properties { try check(property, at: "\(own)/\(key)", depth: depth + 1) }
            case "items", "additionalProperties", "not": try check(value, at: own, depth: depth + 1)
            case "oneOf", "anyOf", "allOf":
                guard let parts = value.arrayValue, !parts.isEmpty else {
                    throw JSONError("\(shown): '\(name)' must be a list of schemas")
                }
                for (index, part) in parts.enumerated() { try check(part, at: "\(own)/\(index)", depth: depth + 1) }
            default: throw JSONError("\(shown): the keyword '\(name)' is not supported")
            }
        }
    }

    /// What does not fit, each with its place (`body.users[0].name`); empty when the value fits. No given value is in it.
    ///
    /// - Parameter root: How the value itself is called.
    package func failures(_ value: JSONValue, root: String) -> [String] {
        SchemaCheck.failures(schema, value, root)
    }
}

/// Checks a value against a schema that is known to be one.
private enum SchemaCheck {
    static func failures(_ schema: JSONValue, _ value: JSONValue, _ place: String) -> [String] {
        if let isAllowed = schema.boolValue { return isAllowed ? [] : ["\(place) is not allowed"] }
        if let type = schema["type"], !fits(type, value) {
            let names = type.arrayValue?.compactMap(\.stringValue) ?? [type.stringValue ?? ""]
            return ["\(place) must be of type \(names.joined(separator: " or "))"]
        }
        var failures: [String] = []
        if let allowed = schema["enum"]?.arrayValue, !allowed.contains(value) {
            failures.append("\(place) must be one of \(allowed.map(\.text).joined(separator: ", "))")
        }
        if let constant = schema["const"], constant != value { failures.append("\(place) must be \(constant.text)") }
        switch value {
        case .int, .double: failures += number(schema, value.doubleValue ?? 0, place)
        case .string(let text): failures += texts(schema, text, place)
        case .array(let items): failures += list(schema, items, place)
        case .object(let members): failures += object(schema, members, place)
        default: break
        }
        return failures + combinations(schema, value, place)
    }

    private static func fits(_ type: JSONValue, _ value: JSONValue) -> Bool {
        if let types = type.arrayValue { return types.contains { fits($0, value) } }
        return switch (type.stringValue, value) {
        case ("object", .object), ("array", .array), ("string", .string), ("boolean", .bool), ("null", .null),
            ("number", .int), ("number", .double), ("integer", .int):
            true
        case ("integer", .double(let number)): number.rounded() == number
        default: false
        }
    }

    private static func number(_ schema: JSONValue, _ number: Double, _ place: String) -> [String] {
        var failures: [String] = []
        if let low = schema["minimum"], number < low.doubleValue ?? number {
            failures.append("\(place) must be at least \(low.text)")
        }
        if let high = schema["maximum"], number > high.doubleValue ?? number {
            failures.append("\(place) must be at most \(high.text)")
        }
        if let low = schema["exclusiveMinimum"], let bound = low.doubleValue, number <= bound {
            failures.append("\(place) must be greater than \(low.text)")
        }
        if let high = schema["exclusiveMaximum"], let bound = high.doubleValue, number >= bound {
            failures.append("\(place) must be less than \(high.text)")
        }
        return failures
    }

    private static func texts(_ schema: JSONValue, _ text: String, _ place: String) -> [String] {
        var failures = bounds(schema, "minLength", "maxLength", text.unicodeScalars.count, "characters", place)
        if let source = schema["pattern"]?.stringValue, let pattern = try? Regex(source),
            (try? pattern.firstMatch(in: text)) == nil
        {
            failures.append("\(place) must match \(source)")
        }
        return failures
    }

    private static func list(_ schema: JSONValue, _ items: [JSONValue], _ place: String) -> [String] {
        var failures = bounds(schema, "minItems", "maxItems", items.count, "items", place)
        if schema["uniqueItems"] == true, Set(items).count != items.count {
            failures.append("\(place) must not have equal items")
        }
        guard let element = schema["items"] else { return failures }
        for (index, item) in items.enumerated() { failures += self.failures(element, item, "\(place)[\(index)]") }
        return failures
    }

    private static func object(_ schema: JSONValue, _ members: [String: JSONValue], _ place: String) -> [String] {
        var failures = bounds(schema, "minProperties", "maxProperties", members.count, "members", place)
        for name in (schema["required"]?.arrayValue ?? []).compactMap(\.stringValue) where members[name] == nil {
            failures.append("\(place).\(name) is missing")
        }
        let properties = schema["properties"]?.objectValue ?? [:]
        for (name, value) in members.sorted(by: { $0.key < $1.key }) {
            let shown = "\(place).\(name.prefix(64))"
            if let property = properties[name] {
                failures += self.failures(property, value, shown)
            } else if let others = schema["additionalProperties"] {
                failures += others == false ? ["\(shown) is not known"] : self.failures(others, value, shown)
            }
        }
        return failures
    }

    private static func combinations(_ schema: JSONValue, _ value: JSONValue, _ place: String) -> [String] {
        var failures: [String] = []
        for part in schema["allOf"]?.arrayValue ?? [] { failures += self.failures(part, value, place) }
        if let parts = schema["anyOf"]?.arrayValue,
            !parts.contains(where: { self.failures($0, value, place).isEmpty })
        {
            failures.append("\(place) fits none of its alternatives")
        }
        if let parts = schema["oneOf"]?.arrayValue {
            let count = parts.filter { self.failures($0, value, place).isEmpty }.count
            if count == 0 { failures.append("\(place) fits none of its alternatives") }
            if count > 1 { failures.append("\(place) fits more than one of its alternatives") }
        }
        if let part = schema["not"], self.failures(part, value, place).isEmpty {
            failures.append("\(place) is what it must not be")
        }
        return failures
    }

    private static func bounds(
        _ schema: JSONValue, _ low: String, _ high: String, _ count: Int, _ unit: String, _ place: String
    ) -> [String] {
        if let low = schema[low]?.intValue, count < low { return ["\(place) must have at least \(low) \(unit)"] }
        if let high = schema[high]?.intValue, count > high { return ["\(place) must have at most \(high) \(unit)"] }
        return []
    }
}
