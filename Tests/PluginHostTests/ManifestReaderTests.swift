// SPDX-License-Identifier: Apache-2.0

import Model
import Testing

@testable import PluginHost

@Suite("manifests")
struct ManifestReaderTests {
    private let good: [String: JSONValue] = [
        "manifest": 1, "id": "org.example.store", "version": "1.4.0-rc.1+b2", "summary": "A store",
        "library": [
            "file": "store.so", "sha256": .string(String(repeating: "a", count: 64)), "abi": "1.0",
            "platform": "linux-x86_64-gnu",
        ],
        "roles": ["guest", "control"], "provides": ["trove.datastore/1"], "requires": ["trove.log/1"],
        "routes": ["instances": ["users", "root-history"], "x": ["jobs"]], "licence": "Apache-2.0", "swift": "6.3",
        "extra": true,
    ]

    private func read(_ manifest: [String: JSONValue]) throws(PluginRefusal) -> PluginManifest {
        try ManifestReader(path: "/p/plugin.json").read(JSONValue.object(manifest).serialized)
    }

    @Test("a complete manifest is read; unknown members are ignored")
    func complete() throws {
        let manifest = try read(good)
        #expect(manifest.id == "org.example.store")
        #expect(manifest.library.abiMajor == 1)
        #expect(manifest.roles == [.guest, .control])
        #expect(manifest.routeWords.instances == ["users", "root-history"])
        #expect(manifest.routeWords.x == ["jobs"])
        #expect(manifest.swift == "6.3")
    }

    @Test("what a backup strategy makes is read; without the member it is not known to make increments")
    func backupKinds() throws {
        var manifest = good
        manifest["provides"] = ["trove.backup/1"]
        #expect(try read(manifest).backupKinds == nil && !(try read(manifest).makesIncrements))
        manifest["backup_kinds"] = ["full"]
        #expect(try !read(manifest).makesIncrements)
        manifest["backup_kinds"] = ["full", "incremental"]
        #expect(try read(manifest).makesIncrements)
        for wrong: JSONValue in ["full", ["incremental"], ["full", "daily"], []] {
            manifest["backup_kinds"] = wrong
            let refusal = #expect(throws: PluginRefusal.self) { try read(manifest) }
            #expect(refusal?.message.hasPrefix("backup_kinds: ") == true)
        }
    }

    struct Wrong: CustomTestStringConvertible, Sendable {
        var field: String
        var value: JSONValue
        var testDescription: String { "\(field) = \(value.text)" }
    }

    @Test(
        "a wrong value names file and field",
        arguments: [
            Wrong(field: "manifest", value: 2), Wrong(field: "id", value: "store"), Wrong(field: "id", value: "a..b"),
            Wrong(field: "id", value: "a/../b.c"), Wrong(field: "id", value: 7), Wrong(field: "version", value: "1.4"),
            Wrong(field: "version", value: "01.4.0"), Wrong(field: "version", value: "1.4.0-"),
            Wrong(field: "summary", value: "a\nb"), Wrong(field: "library", value: "store.so"),
            Wrong(field: "roles", value: ["agent"]), Wrong(field: "roles", value: []),
            Wrong(field: "provides", value: []), Wrong(field: "provides", value: ["datastore"]),
            Wrong(field: "provides", value: ["trove.a/1", "trove.a/1"]), Wrong(field: "requires", value: "trove.log/1"),
            Wrong(field: "routes", value: ["users"]), Wrong(field: "routes", value: ["instances": ["Users/x"]]),
            Wrong(field: "routes", value: ["words": ["users"]]), Wrong(field: "routes", value: ["x": ["a", "a"]]),
            Wrong(field: "datastores", value: []), Wrong(field: "datastores", value: [["versions": ["1"]]]),
            Wrong(field: "datastores", value: [["name": "a", "versions": []]]),
            Wrong(field: "datastores", value: [["name": "a"], ["name": "a"]]),
            Wrong(field: "backup_kinds", value: ["full"]), Wrong(field: "licence", value: ""),
            Wrong(field: "swift", value: "six"),
        ])
    func wrong(_ wrong: Wrong) {
        var manifest = good
        manifest[wrong.field] = wrong.value
        let refusal = #expect(throws: PluginRefusal.self) { try read(manifest) }
        #expect(refusal?.cause == .manifest)
        #expect(refusal?.path == "/p/plugin.json")
        #expect(refusal?.message.hasPrefix(wrong.field) == true)
    }

    @Test(
        "a wrong library member is named",
        arguments: [
            ("file", "../x.so"), ("file", "a/b.so"), ("file", ".."), ("sha256", "abc"), ("abi", "1"), ("platform", ""),
        ] as [(String, String)])
    func library(_ member: String, _ value: String) {
        var manifest = good
        guard var library = manifest["library"]?.objectValue else { return }
        library[member] = .string(value)
        manifest["library"] = .object(library)
        let refusal = #expect(throws: PluginRefusal.self) { try read(manifest) }
        #expect(refusal?.message.hasPrefix("library.\(member)") == true)
    }

    @Test(
        "a missing member is named", arguments: ["id", "version", "summary", "library", "roles", "provides", "licence"])
    func missing(_ field: String) {
        var manifest = good
        manifest[field] = nil
        let refusal = #expect(throws: PluginRefusal.self) { try read(manifest) }
        #expect(refusal?.message.hasPrefix(field) == true)
    }

    @Test("a text that is no JSON object is refused", arguments: ["", "[]", "{", "{\"id\":1,\"id\":2}"])
    func noObject(_ text: String) {
        #expect(throws: PluginRefusal.self) { try ManifestReader(path: "/p").read(Array(text.utf8)) }
    }

    @Test("route paths are checked")
    func routes() {
        #expect(
            RoutePattern.parse("/instances/{id}/users/{name}", pluginID: "org.example.store").pattern?.word == "users")
        for path in [
            "instances/{id}/users", "/backups/{id}/users", "/instances/{id}", "/instances/{id}/{word}",
            "/instances/{id}/users/", "/instances/{id}/users/{id}", "/instances/{id}/users/a{b}",
        ] {
            #expect(RoutePattern.parse(path, pluginID: "org.example.store").pattern == nil, "\(path)")
            #expect(RoutePattern.parse(path, pluginID: "org.example.store").problem != nil)
        }
        let one = RoutePattern.parse("/instances/{id}/users/{name}", pluginID: "org.example.store").pattern
        let two = RoutePattern.parse("/instances/{id}/users/{user}", pluginID: "org.example.store").pattern
        #expect(one?.key(method: "GET") == two?.key(method: "GET"))
        #expect(one?.key(method: "GET") != two?.key(method: "PUT"))
    }
}
