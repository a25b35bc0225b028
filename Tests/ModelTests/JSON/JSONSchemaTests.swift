// SPDX-License-Identifier: Apache-2.0

import Model
import Testing

@Suite("JSON Schema, the part that plugins may use")
struct JSONSchemaTests {
    struct Case: CustomTestStringConvertible, Sendable {
        var schema: JSONValue
        var value: JSONValue
        var failures: [String]
        var testDescription: String { "\(value.text) in \(schema.text)" }

        init(_ schema: JSONValue, _ value: JSONValue, _ failures: [String]) {
            self.schema = schema
            self.value = value
            self.failures = failures
        }
    }

    @Test(
        "values are checked, each failure with its place and without the value",
        arguments: [
            Case(true, 1, []), Case(false, 1, ["body is not allowed"]), Case([:], ["a": 1], []),
            Case(["type": "object"], [], ["body must be of type object"]),
            Case(["type": ["string", "null"]], .null, []),
            Case(["type": ["string", "null"]], 1, ["body must be of type string or null"]),
            Case(["type": "integer"], 1, []), Case(["type": "integer"], 1.0, []),
            Case(["type": "integer"], 1.5, ["body must be of type integer"]),
            Case(["type": "number"], true, ["body must be of type number"]),
            Case(["enum": ["a", 1]], "b", ["body must be one of \"a\", 1"]), Case(["const": 2], 3, ["body must be 2"]),
            Case(["minimum": 2, "maximum": 3], 1, ["body must be at least 2"]),
            Case(["maximum": 3], 4, ["body must be at most 3"]),
            Case(["exclusiveMinimum": 2], 2, ["body must be greater than 2"]),
            Case(["exclusiveMaximum": 2], 2, ["body must be less than 2"]), Case(["minimum": 2], "text", []),
            Case(["minLength": 2], "é", ["body must have at least 2 characters"]),
            Case(["maxLength": 1], "ab", ["body must have at most 1 characters"]),
            Case(["pattern": "^[a-z]+$"], "abc", []), Case(["pattern": "^[a-z]+$"], "A", ["body must match ^[a-z]+$"]),
            Case(["minItems": 1], [], ["body must have at least 1 items"]),
            Case(["uniqueItems": true], [1, 1], ["body must not have equal items"]),
            Case(["items": ["type": "string"]], ["a", 1], ["body[1] must be of type string"]),
            Case(
                ["properties": ["user": ["required": ["name"]]], "required": ["user", "more"]], ["user": [:]],
                ["body.more is missing", "body.user.name is missing"]),
            Case(
                ["additionalProperties": false, "properties": ["a": true]], ["a": 1, "b": 2], ["body.b is not known"]),
            Case(["additionalProperties": ["type": "string"]], ["b": 2], ["body.b must be of type string"]),
            Case(["anyOf": [["type": "string"], ["type": "null"]]], 1, ["body fits none of its alternatives"]),
            Case(
                ["oneOf": [["type": "number"], ["type": "integer"]]], 1, ["body fits more than one of its alternatives"]
            ),
            Case(["oneOf": [["type": "string"]]], 1, ["body fits none of its alternatives"]),
            Case(
                ["allOf": [["minimum": 2], ["maximum": 0]]], 1, ["body must be at least 2", "body must be at most 0"]),
            Case(["not": ["type": "string"]], "a", ["body is what it must not be"]),
            Case(["title": "T", "description": "D", "format": "date", "default": 1], "x", []),
        ])
    func checks(_ item: Case) throws {
        #expect(try JSONSchema(item.schema).failures(item.value, root: "body") == item.failures)
    }

    @Test(
        "a schema that cannot be checked whole is refused, with its place",
        arguments: [
            ([], "must be an object or a boolean"), (["$ref": "a"], "'$ref' is not supported"),
            (["type": "text"], "'type' must be one of"), (["type": []], "'type' must be one of"),
            (["enum": []], "'enum'"), (["minimum": "1"], "'minimum'"), (["maxLength": -1], "'maxLength'"),
            (["pattern": "("], "'pattern'"), (["required": "a"], "'required'"), (["properties": []], "'properties'"),
            (["oneOf": []], "'oneOf'"), (["uniqueItems": 1], "'uniqueItems'"),
            (["properties": ["a": ["if": true]]], "the schema at /properties/a: the keyword 'if'"),
            (["items": 1], "the schema at /items must be"), (["patternProperties": [:]], "'patternProperties'"),
        ] as [(JSONValue, String)])
    func refused(_ schema: JSONValue, _ words: String) {
        let error = #expect(throws: JSONError.self) { _ = try JSONSchema(schema) }
        #expect(error?.message.contains(words) == true, "\(error?.message ?? "")")
    }
}
