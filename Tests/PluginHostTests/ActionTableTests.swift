// SPDX-License-Identifier: Apache-2.0

import Model
import Testing

@testable import PluginHost

@Suite("Tables of actions against the manifest")
struct ActionTableTests {
    struct Difference: CustomTestStringConvertible, Sendable {
        /// A C statement that changes the table.
        var change: String
        var cause: PluginRefusal.Cause
        /// What the refusal names.
        var words: String
        var testDescription: String { change }
    }

    @Test(
        "a difference refuses the plugin and names the field",
        arguments: [
            Difference(change: "table.count = 10", cause: .mismatch, words: "actions: the manifest says 11 actions"),
            Difference(change: "items[0].name = \"other\"", cause: .mismatch, words: "actions[0].name"),
            Difference(
                change: "{ trove_action_1 t = items[2]; items[2] = items[3]; items[3] = t; }", cause: .mismatch,
                words: "actions[2].name: the manifest says 'integers', the library 'floats'"),
            Difference(
                change: "items[0].flags = TROVE_ACTION_READ_ONLY", cause: .mismatch, words: "actions[0].read_only"),
            Difference(change: "items[5].flags = 0", cause: .mismatch, words: "actions[5].read_only"),
            Difference(change: "items[2].arg_count = 7", cause: .mismatch, words: "actions[2].args"),
            Difference(change: "items[3].args = eight_integers", cause: .mismatch, words: "actions[3].args[0].type"),
            Difference(change: "items[9].args = secret_args", cause: .mismatch, words: "actions[9].args[0].name"),
            Difference(
                change:
                    "{ static trove_arg_1 a[1]; a[0] = secret_args[0]; a[0].flags = 0; items[7].args = a; }",
                cause: .mismatch, words: "actions[7].args[0].secret"),
            Difference(
                change:
                    "{ static trove_arg_1 a[1]; a[0] = json_args[0]; a[0].flags = TROVE_ARG_OPTIONAL; items[9].args = a; }",
                cause: .mismatch, words: "actions[9].args[0].optional"),
            Difference(
                change: "{ static trove_arg_1 a[1]; a[0] = json_args[0]; a[0].type = 9; items[9].args = a; }",
                cause: .mismatch, words: "actions[9].args[0].type: the manifest says 'json', the library 'number 9'"),
            Difference(change: "items[4].size = 8", cause: .table, words: "actions[4] has 8 bytes"),
            Difference(change: "items[4].fn = NULL", cause: .table, words: "actions[4] lacks name or fn"),
            Difference(change: "items[4].flags = 128", cause: .table, words: "actions[4] has flags"),
            Difference(change: "items[0].user = items", cause: .table, words: "actions[0] is typed and has user"),
            Difference(change: "items[2].args = NULL", cause: .table, words: "args must be NULL if and only if"),
            Difference(change: "table.size = 4", cause: .table, words: "trove.actions/1 has 4 bytes"),
            Difference(change: "table.items = NULL", cause: .table, words: "trove.actions/1: no items"),
        ])
    func difference(_ difference: Difference) async throws {
        try await withPlugins { (fixture: PluginFixture) async throws -> Void in
            try fixture.install(
                "act", ActionSource.text, provides: ActionSource.provides, macros: ["CHANGE=\(difference.change)"]
            ) { $0["actions"] = ActionSource.declarations() }
            let registry = try fixture.load(.guest, enabled: ["test.act"])
            #expect(registry.plugins.isEmpty)
            let refusal = registry.refusals.first
            #expect(refusal?.cause == difference.cause)
            #expect(refusal?.message.contains(difference.words) == true, "\(refusal?.message ?? "")")
        }
    }

    @Test("actions without a manifest are a difference too")
    func undeclared() async throws {
        try await withPlugins { (fixture: PluginFixture) async throws -> Void in
            try fixture.install("act", ActionSource.text, provides: ActionSource.provides)
            let refusal = try fixture.load(.guest, enabled: ["test.act"]).refusals.first
            #expect(refusal?.cause == .mismatch)
            #expect(refusal?.message.contains("the manifest says 0 actions, the library 11") == true)
        }
    }

    @Test("an action of the core, or of another plugin for the same datastore, refuses the plugin and names both")
    func clashes() async throws {
        try await withPlugins { (fixture: PluginFixture) async throws -> Void in
            func install(_ name: String, _ datastores: JSONValue?) throws {
                try fixture.install(name, ActionSource.text, provides: ActionSource.provides) {
                    $0["actions"] = ActionSource.declarations()
                    $0["datastores"] = datastores
                }
            }
            try install("a", [["name": "files", "versions": ["1"]]])
            try install("b", [["name": "files", "versions": ["2"]]])
            try install("c", [["name": "files"]])
            try install("d", nil)
            let registry = try fixture.load(.guest, enabled: ["test.a", "test.b", "test.c", "test.d"])
            #expect(registry.plugins.map(\.manifest.id) == ["test.a", "test.b"])
            #expect(registry.refusals.map(\.cause) == [.clash, .clash])
            for (refusal, id) in zip(registry.refusals, ["test.c", "test.d"]) {
                #expect(refusal.message.contains("'every'"))
                #expect(refusal.message.contains("'\(id)'") && refusal.message.contains("'test.a'"))
            }
            // Refused by its manifest alone: the table is not looked at.
            try fixture.install("core", ActionSource.text, provides: ActionSource.provides) {
                $0["actions"] = [["name": "restart", "policy": "instance:restart"]]
            }
            let core = try fixture.load(.guest, enabled: ["test.core"]).refusals.first
            #expect(core?.cause == .clash)
            #expect(core?.message.contains("'restart' of 'test.core' is an action of the core") == true)
        }
    }
}
