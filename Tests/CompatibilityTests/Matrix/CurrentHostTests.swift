// SPDX-License-Identifier: Apache-2.0

import Foundation
import Model
import TestSupport
import Testing

@testable import PluginHost

// This host, which has ABI 1.0, and plugins that were compiled against the released headers of 1.0, a synthetic 1.1 and a
// synthetic 2.0. The other rows of the matrix are in OtherHostTests.swift.
//
// | plugin                      | test                                                                    |
// | --------------------------- | ----------------------------------------------------------------------- |
// | 1.0                         | works                                                                   |
// | 1.1 with /1 and /2          | later                                                                   |
// | 1.1 with /2 alone           | second                                                                  |
// | 2.0                         | next, both                                                              |
// | wrong magic                 | BrokenTableTests.core                                                   |
// | size 0, 4 GiB               | BrokenTableTests.core, .sizes, .counts                                  |
// | NULL functions              | BrokenTableTests.required, .optional                                    |
// | unknown status              | statuses, initialization                                                |
// | other digest                | digest; the modes of trust: PluginTrustTests                            |
@Suite("Plugins of other versions in this host")
struct CurrentHostTests {
    private func withPlugin(
        _ name: String, lines: LoggedLines = LoggedLines(),
        _ body: (PluginDirectory, PluginRegistry) async throws -> Void
    ) async throws {
        try await withPluginDirectory { (directory) async throws in
            let folder = directory.root + "/.."
            let plugins = VersionSource.plugins(
                minor: try Headers.minor(in: folder), major: try Headers.major(in: folder))
            let plugin = try #require(plugins.first { $0.name == name })
            try await directory.install(name, plugin.units, abi: plugin.abi, provides: plugin.provides)
            let registry = try directory.load([name], probes: true, logger: lines.logger)
            try await body(directory, registry)
            registry.shutdown()
        }
    }

    private func open(_ registry: PluginRegistry, _ name: String) async throws(PluginError) -> DatastoreSession {
        try await DatastoreSession.open(
            registry, reference: "test." + name, config: [:], options: PluginDirectory.options())
    }

    private func prepare(_ registry: PluginRegistry, _ name: String) async throws -> JSONValue {
        let session = try await open(registry, name)
        let answer = try await session.call(.prepare, [:], PluginDirectory.options())
        await session.close()
        return answer
    }

    @Test("a plugin of 1.0 works")
    func works() async throws {
        let lines = LoggedLines()
        try await withPlugin("one", lines: lines) { (_, registry) async throws in
            #expect(registry.refusals == [])
            #expect(try await prepare(registry, "one") == ["through": 1, "host": "1.0"])
        }
        #expect(!lines.all.contains { $0.contains("does not know") })
    }

    @Test("a plugin of 1.1 works through the revision that 1.0 has, and what is not used is said")
    func later() async throws {
        let lines = LoggedLines()
        try await withPlugin("later", lines: lines) { (_, registry) async throws in
            #expect(registry.refusals == [])
            #expect(try await prepare(registry, "later") == ["through": 1, "host": "1.0"])
        }
        #expect(lines.all.contains { $0.contains("does not know") && $0.contains("trove.datastore/2") }, "\(lines.all)")
    }

    @Test("a plugin of 1.1 with the second revision alone is loaded; what is absent is named")
    func second() async throws {
        let lines = LoggedLines()
        try await withPlugin("second", lines: lines) { (_, registry) async throws in
            #expect(registry.refusals == [])
            let error = await failure { () throws(PluginError) in _ = try await open(registry, "second") }
            #expect(error?.code == .unsupported && error?.pluginID == "test.second")
            #expect(error?.message == "does not provide trove.datastore/1")
        }
        #expect(lines.all.contains { $0.contains("does not know") && $0.contains("trove.datastore/2") }, "\(lines.all)")
    }

    @Test("a plugin that requires a later service is refused by its name before its code is mapped")
    func requires() async throws {
        try await withPluginDirectory { (directory) async throws in
            let mark = directory.root + "/../mapped"
            try await directory.install("wants", [Unit(text: VersionSource.text, macros: ["ONE", "MARK=\"\(mark)\""])])
            {
                $0["requires"] = ["trove.log/1", "trove.kv/2"]
            }
            let refusal = try #require(try directory.load(["wants"], probes: true).refusals.first)
            #expect(refusal.cause == .requirement && refusal.path == directory.root + "/wants/plugin.so")
            #expect(refusal.message.contains("trove.kv/2 is not offered"))
            #expect(!refusal.message.contains("trove.log/1"))
            #expect(access(mark, F_OK) != 0)
            try directory.writeManifest("wants")
            #expect(try directory.load(["wants"], probes: true).refusals == [])
            #expect(access(mark, F_OK) == 0)
        }
    }

    @Test("a plugin of 2.0 is refused with both versions, whatever its manifest and its entry say")
    func next() async throws {
        try await withPlugin("next") { (directory, registry) async throws in
            let library = directory.root + "/next/plugin.so"
            let honest = try #require(registry.refusals.first)
            #expect(honest.cause == .abi && honest.path == library)
            #expect(honest.message.contains("ABI 2.0") && honest.message.contains("1.0"))
            try directory.writeManifest("next", abi: "1.0")
            let lying = try #require(try directory.load(["next"]).refusals.first)
            #expect(lying.cause == .abi && lying.path == library && lying.message.contains("nothing for ABI 1.0"))
        }
        try await withPlugin("stubborn") { (directory, registry) async throws in
            let tried = try #require(registry.refusals.first)
            #expect(tried.cause == .probe && tried.message.contains("is for ABI 2.0, this host has 1.0"))
            let mapped = try #require(try directory.load(["stubborn"]).refusals.first)
            #expect(mapped.cause == .abi && mapped.message == "is for ABI 2.0, this host has 1.0")
        }
    }

    @Test("a plugin of 2.0 that keeps 1 works")
    func both() async throws {
        try await withPlugin("both") { (_, registry) async throws in
            #expect(registry.refusals == [])
            #expect(try await prepare(registry, "both") == ["through": 1, "host": "1.0"])
        }
    }

    @Test("a status that this host does not know is an internal error, and the number is logged")
    func statuses() async throws {
        let lines = LoggedLines()
        try await withPlugin("later", lines: lines) { (_, registry) async throws in
            let session = try await open(registry, "later")
            for (word, number) in [("4711", "4711"), ("early", "14")] {
                let error = await failure { () throws(PluginError) in
                    try await session.call(.launch, .string(word), PluginDirectory.options())
                }
                #expect(error?.code == .internal && error?.message.contains("unknown status \(number)") == true)
                #expect(
                    lines.all.contains {
                        $0.contains("status that this host does not know") && $0.contains("status=\(number)")
                    })
            }
            #expect(try await session.status(PluginDirectory.options()).health == .unknown)
            await session.close()
        }
    }

    @Test(
        "a status that this host does not know, from init, leaves the plugin unused", arguments: [4711, 14, 13, -1, 9])
    func initialization(_ status: Int) async throws {
        try await withPluginDirectory { (directory) async throws in
            let library = try await directory.install(
                "init", [Unit(text: VersionSource.text, macros: ["ONE", "INIT=\(status)"])])
            let registry = try directory.load(["init"])
            let refusal = try #require(registry.refusals.first)
            #expect(registry.plugins.isEmpty && refusal.cause == .initialization && refusal.path == library)
            #expect(refusal.message == "init failed: \(status == 9 ? "unavailable" : "unknown status \(status)")")
        }
    }

    @Test("a library with another digest than its manifest's is refused before it is mapped")
    func digest() async throws {
        try await withPluginDirectory { (directory) async throws in
            let mark = directory.root + "/../mapped"
            let library = try await directory.install(
                "other", [Unit(text: VersionSource.text, macros: ["ONE", "MARK=\"\(mark)\""])])
            var bytes = try Data(contentsOf: URL(fileURLWithPath: library))
            bytes.append(0)
            try bytes.write(to: URL(fileURLWithPath: library))
            chmod(library, 0o644)
            let refusal = try #require(try directory.load(["other"], probes: true).refusals.first)
            #expect(refusal.cause == .hash && refusal.path == library && refusal.message.contains("SHA-256"))
            #expect(access(mark, F_OK) != 0)
        }
    }
}
