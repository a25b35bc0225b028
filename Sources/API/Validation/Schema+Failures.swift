// SPDX-License-Identifier: Apache-2.0

import Model

extension Schema {
    /// Everything in `value` that does not fit.
    func failures(_ value: JSONValue, at path: [SchemaFailure.Step]) -> [SchemaFailure] {
        switch self {
        case .any: []
        case .boolean: value.boolValue == nil ? [wrongType(value, path)] : []
        case .null: value.isNull ? [] : [wrongType(value, path)]
        case .number: value.doubleValue == nil ? [wrongType(value, path)] : []
        case .string(let minimum, let maximum, let pattern):
            textFailures(value, path, minimum: minimum, maximum: maximum, pattern: pattern)
        case .integer(let minimum, let maximum):
            integerFailures(value, path, minimum: minimum, maximum: maximum)
        case .enumeration(let words):
            words.contains { .string($0) == value }
                ? []
                : [
                    SchemaFailure(
                        path: path,
                        message: "\(value.quoted) is not one of \(JSONValue.array(words.map(JSONValue.string)).quoted)"
                    )
                ]
        case .oneOf(let alternatives): alternativeFailures(value, path, alternatives)
        case .array(let item, let maximum, let isUnique):
            arrayFailures(value, path, item: item, maximum: maximum, isUnique: isUnique)
        case .object(let members, let required, let isClosed):
            objectFailures(value, path, members: members, required: required, isClosed: isClosed)
        case .map(let element): mapFailures(value, path, element)
        case .named(_, let schema): schema.failures(value, at: path)
        }
    }

    private func wrongType(_ value: JSONValue, _ path: [SchemaFailure.Step]) -> SchemaFailure {
        let name =
            switch self {
            case .boolean: "boolean"
            case .null: "null"
            case .number: "number"
            case .integer: "integer"
            case .array: "array"
            case .object, .map: "object"
            default: "string"
            }
        return SchemaFailure(path: path, message: "\(value.quoted) is not of type '\(name)'")
    }

    private func textFailures(
        _ value: JSONValue, _ path: [SchemaFailure.Step], minimum: Int, maximum: Int?, pattern: TextPattern?
    ) -> [SchemaFailure] {
        guard let text = value.stringValue else { return [wrongType(value, path)] }
        var messages: [String] = []
        let count = text.unicodeScalars.count
        if let maximum, count > maximum { messages.append("\(value.quoted) is too long") }
        if count < minimum { messages.append("\(value.quoted) is too short") }
        if let pattern, !pattern.matches(text) {
            messages.append("\(value.quoted) does not match \(JSONValue.quote(pattern.source))")
        }
        return messages.map { SchemaFailure(path: path, message: $0) }
    }

    private func integerFailures(
        _ value: JSONValue, _ path: [SchemaFailure.Step], minimum: Int?, maximum: Int?
    ) -> [SchemaFailure] {
        guard let number = value.intValue else { return [wrongType(value, path)] }
        if let minimum, number < minimum {
            return [SchemaFailure(path: path, message: "\(number) is less than the minimum of \(minimum)")]
        }
        if let maximum, number > maximum {
            return [SchemaFailure(path: path, message: "\(number) is greater than the maximum of \(maximum)")]
        }
        return []
    }

    private func alternativeFailures(
        _ value: JSONValue, _ path: [SchemaFailure.Step], _ alternatives: [Schema]
    ) -> [SchemaFailure] {
        let results = alternatives.map { $0.failures(value, at: path) }
        guard !results.contains(where: \.isEmpty) else { return [] }
        return [
            SchemaFailure(
                path: path, message: "\(value.quoted) is not valid under any of the given schemas",
                alternatives: results.flatMap { $0.map(\.message) }
            )
        ]
    }

    private func arrayFailures(
        _ value: JSONValue, _ path: [SchemaFailure.Step], item: Schema, maximum: Int?, isUnique: Bool
    ) -> [SchemaFailure] {
        guard let items = value.arrayValue else { return [wrongType(value, path)] }
        var failures: [SchemaFailure] = []
        if let maximum, items.count > maximum {
            failures.append(SchemaFailure(path: path, message: "\(value.quoted) is too long"))
        }
        if isUnique, Set(items).count != items.count {
            failures.append(SchemaFailure(path: path, message: "\(value.quoted) has non-unique elements"))
        }
        for (index, element) in items.enumerated() {
            failures += item.failures(element, at: path + [.index(index)])
        }
        return failures
    }

    private func mapFailures(
        _ value: JSONValue, _ path: [SchemaFailure.Step], _ element: Schema
    ) -> [SchemaFailure] {
        guard let object = value.objectValue else { return [wrongType(value, path)] }
        return object.sorted { $0.key < $1.key }.flatMap { element.failures($1, at: path + [.key($0)]) }
    }

    private func objectFailures(
        _ value: JSONValue, _ path: [SchemaFailure.Step], members: [String: Schema], required: [String], isClosed: Bool
    ) -> [SchemaFailure] {
        guard let object = value.objectValue else { return [wrongType(value, path)] }
        var failures = required.filter { object[$0] == nil }.map { name in
            SchemaFailure(path: path, message: "\(JSONValue.quote(name)) is a required property")
        }
        let extra = object.keys.filter { members[$0] == nil }.sorted()
        if isClosed, !extra.isEmpty {
            let names = extra.map(JSONValue.quote).joined(separator: ", ")
            failures.append(
                SchemaFailure(
                    path: path,
                    message: "Additional properties are not allowed (\(names) \(extra.count == 1 ? "was" : "were")"
                        + " unexpected)"
                )
            )
        }
        for (name, element) in object.sorted(by: { $0.key < $1.key }) {
            if let schema = members[name] { failures += schema.failures(element, at: path + [.key(name)]) }
        }
        return failures
    }
}
