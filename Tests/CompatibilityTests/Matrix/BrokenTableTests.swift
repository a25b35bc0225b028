// SPDX-License-Identifier: Apache-2.0

import Model
import Testing

@testable import PluginHost

@Suite("Tables that are not what the headers say")
struct BrokenTableTests {
    /// Loads the plugin with a change of its tables.
    private func refusal(_ change: String) async throws -> PluginRefusal {
        var found: PluginRefusal?
        try await withPluginDirectory { (directory) async throws in
            let library = try await directory.install(
                "table", [Unit(text: TableSource.text, macros: ["BREAK=\(change)"])], provides: TableSource.provides,
                change: Self.complete)
            let registry = try directory.load(["table"])
            #expect(registry.plugins.isEmpty, "'\(change)' was taken")
            #expect(registry.refusals.first?.path == library)
            found = registry.refusals.first
        }
        return try #require(found)
    }

    private static func complete(_ manifest: inout [String: JSONValue]) {
        manifest["routes"] = ["instances": ["things"]]
        manifest["actions"] = [
            ["name": "act", "policy": "instance:act", "args": [["name": "number", "type": "i32"]]]
        ]
    }

    @Test(
        "the core: magic, size, and what must be there",
        arguments: [
            ("plugin.magic = 0", "wrong magic"), ("plugin.magic = 0x54525031", "wrong magic"),
            ("plugin.size = 0", "trove_plugin_1 has 0 bytes in the plugin, 56 here"),
            ("plugin.size = 0xffffffffu", "trove_plugin_1 has 4294967295 bytes in the plugin, 56 here"),
            ("plugin.size = 0; plugin.abi_major = 3", "is for ABI 3.0, this host has 1.0"),
            ("plugin.id = NULL", "lacks id, version, init or get_extension"),
            ("plugin.version = NULL", "lacks id, version, init or get_extension"),
            ("plugin.init = NULL", "lacks id, version, init or get_extension"),
            ("plugin.get_extension = NULL", "lacks id, version, init or get_extension"),
        ])
    func core(_ change: String, _ words: String) async throws {
        let refusal = try await refusal(change)
        #expect(refusal.cause == .abi || refusal.cause == .table)
        #expect(refusal.message.contains(words), "\(refusal)")
    }

    @Test(
        "a table of 0 bytes or 4 GiB is refused with its id and both sizes",
        arguments: [
            ("datastore", "trove.datastore/1 has"), ("policy", "trove.datastore-policy/1 has"),
            ("backup", "trove.backup/1 has"), ("api", "trove.api-extension/1 has"),
            ("routes[0]", "trove.api-extension/1: route 0 has"), ("actions", "trove.actions/1 has"),
            ("items[0]", "trove.actions/1: actions[0] has"), ("driver", "trove.module-driver/1 has"),
            ("peer", "trove.rpc-peer/1 has"),
        ], ["0", "4294967295"])
    func sizes(_ table: (name: String, words: String), _ size: String) async throws {
        let refusal = try await refusal("\(table.name).size = \(size)u")
        #expect(refusal.cause == .table)
        #expect(refusal.message.contains("\(table.words) \(size) bytes in the plugin, "), "\(refusal)")
    }

    @Test(
        "counts that no table has are refused, not followed",
        arguments: [
            ("api.count = 0xffffffffu", "trove.api-extension/1"), ("api.routes = NULL", "trove.api-extension/1"),
            ("actions.count = 0xffffffffu", "trove.actions/1"), ("actions.items = NULL", "trove.actions/1"),
            ("items[0].arg_count = 0xffffffffu", "actions[0].args"), ("items[0].args = NULL", "actions[0] args"),
        ])
    func counts(_ change: String, _ words: String) async throws {
        let refusal = try await refusal(change)
        #expect(refusal.cause == .table || refusal.cause == .mismatch)
        #expect(refusal.message.contains(words), "\(refusal)")
    }

    @Test(
        "a function or text that must be there is named",
        arguments: [
            "datastore": ["open", "close", "prepare", "launch", "started", "status"],
            "policy": ["requirements", "validate_create", "render_configuration"],
            "backup": ["open", "close", "backup", "restore"], "routes[0]": ["method", "path", "policy", "handle"],
            "items[0]": ["name", "fn"], "args[0]": ["name"], "driver": ["type", "apply"], "peer": ["handle"],
        ].flatMap { table, members in members.map { "\(table).\($0)" } }.sorted())
    func required(_ member: String) async throws {
        let refusal = try await refusal("\(member) = NULL")
        #expect(refusal.cause == .table)
        #expect(refusal.message.contains(String(member.split(separator: ".")[1])), "\(refusal)")
    }

    @Test("functions that may be NULL are answered as the headers say")
    func optional() async throws {
        try await withPluginDirectory { (directory) async throws in
            try await directory.install(
                "table", [Unit(text: TableSource.text)], provides: TableSource.provides, change: Self.complete)
            let registry = try directory.load(["table"], probes: true)
            #expect(registry.refusals == [])
            let options = PluginDirectory.options()
            let session = try await DatastoreSession.open(
                registry, reference: "test.table", config: [:], options: options)
            for function in DatastoreFunction.allCases where ![.prepare, .launch, .started].contains(function) {
                let error = await failure { () throws(PluginError) in try await session.call(function, [:], options) }
                #expect(error?.code == .unsupported && error?.message == "has no \(function.rawValue)", "\(function)")
            }
            await session.close()
            let backup = try await BackupSession.open(registry, reference: "test.table", config: [:], options: options)
            try await backup.postRestore([:], options)
            await backup.close()
            let module: JSONValue = ["type": "thing"]
            #expect(try await registry.module(.validate, module, options) == .null)
            #expect(try await registry.module(.apply, module, options) == .null)
            let error = await failure { () throws(PluginError) in try await registry.module(.remove, module, options) }
            #expect(error?.code == .unsupported)
            registry.shutdown()
        }
    }
}
