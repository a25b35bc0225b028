// SPDX-License-Identifier: Apache-2.0

import Model
import Testing

@testable import PluginHost

@Suite("Actions in manifests")
struct ManifestActionTests {
    private static let argument: [String: JSONValue] = [
        "name": "limit", "type": "i64", "summary": "how many", "default": 100, "minimum": 1, "maximum": 1000,
    ]
    private static let action: [String: JSONValue] = [
        "name": "flush_hosts", "summary": "Flushes hosts", "policy": "instance:flush_hosts", "read_only": true,
        "args": [["name": "scope", "type": "str", "enum": ["all", "idle"]], .object(argument)],
        "samples": [["scope": "idle", "limit": 1], ["scope": "all"]],
    ]

    private func read(_ actions: JSONValue, roles: JSONValue = ["guest"]) throws(PluginRefusal) -> PluginManifest {
        let manifest: JSONValue = [
            "manifest": 1, "id": "org.example.store", "version": "1.0.0", "summary": "A store",
            "library": [
                "file": "store.so", "sha256": .string(String(repeating: "a", count: 64)), "abi": "1.0",
                "platform": "linux-x86_64-gnu",
            ],
            "roles": roles, "provides": ["trove.actions/1"], "licence": "Apache-2.0", "actions": actions,
        ]
        return try ManifestReader(path: "/p/plugin.json").read(manifest.serialized)
    }

    @Test("a whole action is read, and crosses processes unchanged")
    func complete() throws {
        let actions = try read([.object(Self.action)]).actions
        let action = try #require(actions.first)
        #expect(action.name == "flush_hosts")
        #expect(action.role == .guest)
        #expect(action.isReadOnly)
        #expect(action.arguments.map(\.type) == [.str, .i64])
        #expect(action.arguments.map(\.isOptional) == [false, true])
        #expect(action.arguments[1].defaultValue == 100)
        #expect(action.samples.count == 2)
        #expect(ActionDeclaration.list(.array(actions.map(\.json))) == actions)
        #expect(try read([["name": "a", "policy": "p"]], roles: ["control"]).actions.first?.role == .control)
        #expect(try read([["name": "a", "policy": "p"]], roles: ["control", "guest"]).actions.first?.role == .guest)
    }

    struct Wrong: CustomTestStringConvertible, Sendable {
        var field: String
        var value: JSONValue?
        /// Place in the message after the action's or the argument's.
        var place: String
        var testDescription: String { "\(field) = \(value?.text ?? "absent")" }

        init(_ field: String, _ value: JSONValue?, _ place: String? = nil) {
            self.field = field
            self.value = value
            self.place = place ?? field
        }
    }

    @Test(
        "a wrong member of an action is named",
        arguments: [
            Wrong("name", nil), Wrong("name", "Flush"), Wrong("name", "1a"), Wrong("name", "a-b"), Wrong("name", 7),
            Wrong("name", .string("a" + String(repeating: "b", count: 64))), Wrong("summary", 1),
            Wrong("summary", "a\nb"),
            Wrong("policy", nil), Wrong("policy", "a b"), Wrong("policy", ":x"), Wrong("policy", "X"),
            Wrong("role", "agent"), Wrong("role", "control"), Wrong("read_only", "yes"), Wrong("args", [:]),
            Wrong("args", ["scope"], "args[0]"), Wrong("samples", [:]), Wrong("samples", [[]], "samples[0]"),
            Wrong("samples", [[:]], "samples[0]"), Wrong("samples", [["scope": "none"]], "samples[0]"),
            Wrong("samples", [["scope": "all"], ["scope": "all", "more": 1]], "samples[1]"),
            Wrong("args", .array((0..<9).map { ["name": .string("a\($0)"), "type": "i32"] })),
            Wrong("args", [["name": "a", "type": "i32"], ["name": "a", "type": "str"]], "args[1].name"),
        ])
    func wrongAction(_ wrong: Wrong) {
        var action = Self.action
        action[wrong.field] = wrong.value
        let refusal = #expect(throws: PluginRefusal.self) { try read([.object(action)]) }
        #expect(refusal?.cause == .manifest)
        #expect(refusal?.message.hasPrefix("actions[0].\(wrong.place): ") == true, "\(refusal?.message ?? "")")
    }

    @Test(
        "a wrong member of an argument is named",
        arguments: [
            Wrong("name", nil), Wrong("name", "Limit"), Wrong("type", nil), Wrong("type", "int"), Wrong("type", 1),
            Wrong("summary", 1), Wrong("optional", 1), Wrong("optional", false), Wrong("secret", "no"),
            Wrong("secret", true, "default"), Wrong("default", 0), Wrong("default", 1001), Wrong("default", "a"),
            Wrong("default", .null), Wrong("minimum", "1"), Wrong("minimum", 1.5), Wrong("minimum", 2000),
            Wrong("maximum", "x"), Wrong("max_bytes", 1), Wrong("enum", []), Wrong("enum", "a"),
            Wrong("enum", [1, "x"], "enum[1]"), Wrong("enum", [1, 2000], "enum[1]"),
            Wrong("enum", [1, "1"], "enum[1]"),
            Wrong("enum", [5], "default"),
        ])
    func wrongArgument(_ wrong: Wrong) {
        var argument = Self.argument
        argument[wrong.field] = wrong.value
        let refusal = #expect(throws: PluginRefusal.self) {
            try read([["name": "a", "policy": "p", "args": [.object(argument)]]])
        }
        #expect(refusal?.cause == .manifest)
        #expect(refusal?.message.hasPrefix("actions[0].args[0].\(wrong.place): ") == true, "\(refusal?.message ?? "")")
    }

    @Test(
        "members that do not fit the argument's type are named",
        arguments: [
            ("bool", ["optional": true], "default"), ("str", ["minimum": 1], "minimum"),
            ("json", ["maximum": 1], "maximum"), ("str", ["max_bytes": 0], "max_bytes"),
            ("bytes", ["max_bytes": "1"], "max_bytes"), ("str", ["max_bytes": 2, "default": "abc"], "default"),
            ("bytes", ["default": "abc"], "default"), ("i32", ["minimum": -3_000_000_000], "minimum"),
            ("u64", ["minimum": -1], "minimum"), ("f64", ["minimum": "1"], "minimum"),
        ] as [(String, [String: JSONValue], String)])
    func types(_ type: String, _ members: [String: JSONValue], _ field: String) {
        let argument = JSONValue.object(members.merging(["name": "x", "type": .string(type)]) { own, _ in own })
        let refusal = #expect(throws: PluginRefusal.self) {
            try read([["name": "a", "policy": "p", "args": [argument]]])
        }
        #expect(refusal?.message.hasPrefix("actions[0].args[0].\(field): ") == true, "\(refusal?.message ?? "")")
    }

    @Test("two actions of one name, a list that is none, and actions without their extension are refused")
    func list() {
        let one: JSONValue = ["name": "a", "policy": "p"]
        #expect(throws: PluginRefusal.self) { try read([one, one]) }
        #expect(throws: PluginRefusal.self) { try read(one) }
        #expect(throws: PluginRefusal.self) { try read(["a"]) }
        let manifest: JSONValue = [
            "manifest": 1, "id": "org.example.store", "version": "1.0.0", "summary": "A store",
            "library": [
                "file": "store.so", "sha256": .string(String(repeating: "a", count: 64)), "abi": "1.0",
                "platform": "linux-x86_64-gnu",
            ],
            "roles": ["guest"], "provides": ["trove.backup/1"], "licence": "Apache-2.0", "actions": [one],
        ]
        let refusal = #expect(throws: PluginRefusal.self) {
            try ManifestReader(path: "/p").read(manifest.serialized)
        }
        #expect(refusal?.message.hasPrefix("provides: ") == true)
    }
}
