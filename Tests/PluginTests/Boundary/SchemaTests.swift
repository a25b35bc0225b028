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
        if let constant = schema["const"], value != constant { found.append("\(place): is not \(constant.text)") }
        if let text = value.stringValue, let pattern = schema["pattern"]?.stringValue,
            (try? Regex(pattern).firstMatch(in: text)) == nil
        {
            found.append("\(place): does not match \(pattern)")
        }
        if let longest = schema["maxLength"]?.intValue, value.stringValue?.count ?? 0 > longest {
            found.append("\(place): has more than \(longest) characters")
        }
        if let items = value.arrayValue {
            if let least = schema["minItems"]?.intValue, items.count < least { found.append("\(place): has too few") }
            if let most = schema["maxItems"]?.intValue, items.count > most { found.append("\(place): has too many") }
        }
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

    @Test("every manifest of the tree keeps to them, and has no member that they do not know")
    func manifests() throws {
        let checker = try SchemaChecker.load()
        let schema = try #require(checker.schemas["plugin.json"])
        let source = #filePath.split(separator: "/").dropLast(4).reduce(into: "") { $0 += "/" + $1 }
        let paths = try ["Benchmarks", "Plugins", "Tests"].flatMap { try Self.manifests(below: "\(source)/\($0)") }
        #expect(paths.count > 20)
        for path in paths {
            // Templates have words in place of names.
            let text = try (PluginFiles.read(path) ?? "").split(separator: "__", omittingEmptySubsequences: false)
            var manifest = try JSON(parsing: text.map { $0 == "ID" ? "org.example.new" : $0 }.joined())
            #expect(Self.strangers(manifest, schema, "") == [], "\(path)")
            guard case .object(var members) = manifest, case .object(var library)? = members["library"] else {
                Issue.record("\(path) has no library")
                continue
            }
            // The build fills it.
            if library["sha256"] == "" { library["sha256"] = .string(String(repeating: "0", count: 64)) }
            members["library"] = .object(library)
            manifest = .object(members)
            #expect(checker.problems(manifest, "plugin") == [], "\(path)")
        }
    }

    @Test("a manifest that is wrong is noticed")
    func wrongManifests() throws {
        let checker = try SchemaChecker.load()
        let library: JSON = ["file": "a.so", "sha256": "ABC", "abi": "1", "platform": "linux-x86_64-gnu"]
        let actions: JSON = [["name": "Upper", "policy": "p", "args": [["name": "a", "type": "text"]]], [:]]
        let manifest: JSON = [
            "manifest": 2, "id": "nodots", "version": "1.0.0", "library": library, "roles": [], "provides": [],
            "licence": "0BSD", "actions": actions,
        ]
        let problems = checker.problems(manifest, "plugin")
        for place in [
            "plugin.manifest:", "plugin.id:", "plugin.library.sha256:", "plugin.library.abi:", "plugin.roles:",
            "plugin.actions[0].name:", "plugin.actions[0].args[0].type:", "plugin.actions[1]: has no",
        ] { #expect(problems.contains { $0.hasPrefix(place) }, "\(place) in \(problems)") }
    }

    /// Members that the schema has no word for.
    private static func strangers(_ value: JSON, _ schema: JSON, _ place: String) -> [String] {
        let items = (value.arrayValue ?? []).flatMap { strangers($0, schema["items"] ?? [:], place + "[]") }
        guard let known = schema["properties"]?.objectValue, let members = value.objectValue else { return items }
        return items
            + members.flatMap { key, member in
                known[key].map { strangers(member, $0, "\(place).\(key)") } ?? ["\(place).\(key)"]
            }
    }

    /// Every `plugin.json` below a directory, hidden ones left out.
    private static func manifests(below directory: String) throws -> [String] {
        try PluginFiles.names(in: directory).filter { !$0.hasPrefix(".") }.flatMap { name -> [String] in
            let path = "\(directory)/\(name)"
            var details = stat()
            guard lstat(path, &details) == 0 else { return [] }
            if details.st_mode & S_IFMT == S_IFDIR { return try manifests(below: path) }
            return name == "plugin.json" ? [path] : []
        }
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
