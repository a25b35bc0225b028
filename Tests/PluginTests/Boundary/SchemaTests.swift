// SPDX-License-Identifier: Apache-2.0

import CTrovePlugin
import Glibc
import TestSupport
import Testing
import TrovePluginKit

/// The part of JSON Schema that the boundary's schemas use.
struct SchemaChecker {
    let schemas: [String: JSON]

    static func load() throws -> SchemaChecker {
        let source = #filePath.split(separator: "/").dropLast(4).reduce(into: "") { $0 += "/" + $1 }
        let directory = source + "/Sources/CTrovePlugin/schemas"
        var schemas: [String: JSON] = [:]
        for name in try PluginFiles.names(in: directory) where name.hasSuffix(".json") {
            schemas[name] = try JSON(parsing: try PluginFiles.read("\(directory)/\(name)") ?? "")
        }
        return SchemaChecker(schemas: schemas)
    }

    /// What is wrong with a document, each with its place.
    func problems(_ document: JSON, _ name: String) -> [String] {
        guard let schema = schemas[name + ".json"] else { return ["there is no schema \(name)"] }
        return problems(document, schema, name)
    }

    private func problems(_ value: JSON, _ schema: JSON, _ place: String) -> [String] {
        if let reference = schema["$ref"]?.stringValue {
            guard let target = schemas[reference] else { return ["\(place): no schema \(reference)"] }
            return problems(value, target, place)
        }
        var found: [String] = []
        if let type = schema["type"] {
            let types = type.arrayValue ?? [type]
            if !types.contains(where: { Self.matches(value, $0.stringValue ?? "") }) {
                found.append("\(place): is not \(type.text)")
            }
        }
        if let words = schema["enum"]?.arrayValue, !words.contains(value) { found.append("\(place): is no such word") }
        if let minimum = schema["minimum"]?.intValue, let number = value.intValue, number < minimum {
            found.append("\(place): is below \(minimum)")
        }
        for key in schema["required"]?.arrayValue ?? [] where value[key.stringValue ?? ""] == nil {
            found.append("\(place): has no \(key.text)")
        }
        for (key, part) in schema["properties"]?.objectValue ?? [:] {
            if let member = value[key] { found += problems(member, part, "\(place).\(key)") }
        }
        for (index, item) in (value.arrayValue ?? []).enumerated() {
            if let part = schema["items"] { found += problems(item, part, "\(place)[\(index)]") }
        }
        return found
    }

    private static func matches(_ value: JSON, _ type: String) -> Bool {
        switch (type, value) {
        case ("null", .null), ("boolean", .bool), ("integer", .int), ("number", .int), ("number", .double),
            ("string", .string), ("array", .array), ("object", .object):
            true
        default: false
        }
    }
}

@Suite("The boundary's schemas")
struct SchemaTests {
    @Test("there is a schema for each document of the page on the boundary, and no other")
    func completeness() throws {
        let checker = try SchemaChecker.load()
        let source = #filePath.split(separator: "/").dropLast(4).reduce(into: "") { $0 += "/" + $1 }
        let page = try PluginFiles.read(source + "/docs/plugin-abi.md") ?? ""
        let table = page.split(separator: "\n").drop { $0 != "## Documents" }.prefix {
            !$0.hasPrefix("Control operations")
        }
        let rows = table.filter { $0.hasPrefix("|") }.dropFirst(2).map { row in
            row.split(separator: "|")[0].filter { $0 != " " } + ".json"
        }
        #expect(rows.count > 20)
        #expect(Set(rows).union(["control-operations.json"]) == Set(checker.schemas.keys))
        for (name, schema) in checker.schemas {
            #expect(schema["$id"]?.stringValue == name)
            #expect(schema["type"] == "object")
            for key in try schema.list("required") { #expect(schema["properties"]?[key.stringValue ?? ""] != nil) }
        }
    }

    @Test("the checker notices what is wrong")
    func checker() throws {
        let checker = try SchemaChecker.load()
        let missing: JSON = ["databases": [["character_set": 1]], "next": .null]
        #expect(checker.problems(missing, "database-page").count == 2)
        #expect(checker.problems(["type": "half", "memory_mb": 0], "backup-request").count == 2)
    }

    @Test("what the datastore emits keeps to them", .enabled(if: Engine.isInstalled))
    func emitted() async throws {
        let checker = try SchemaChecker.load()
        #expect(checker.problems(try Policy.call(\.requirements, ["version": "10.11"]), "requirements") == [])
        let configuration: JSON = ["config_contents": .string(try Policy.configuration(memoryMiB: 512))]
        #expect(checker.problems(configuration, "configuration") == [])
        try await withTemporaryDirectory { root in
            let engine = try Engine(root: root, name: "i")
            #expect(checker.problems(engine.config, "instance") == [])
            try engine.prepare()
            #expect(checker.problems(try engine.session.call(\.launch), "launch") == [])
            #expect(checker.problems(try engine.session.call(\.backup_access), "backup-access") == [])
        }
    }
}
