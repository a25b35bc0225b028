// SPDX-License-Identifier: Apache-2.0

import Foundation
import Model
import Testing

@testable import PluginHost

@Suite("loading plugins")
struct PluginLoadingTests {
    @Test("an enabled plugin is loaded after a trial in a child, and found by id and by version")
    func loads() async throws {
        try await withPlugins { fixture in
            try fixture.install("good", PluginSource.datastore, provides: PluginFixture.guest)
            let registry = try fixture.load(.guest, enabled: ["test.good"], probes: true)
            #expect(registry.refusals == [])
            #expect(registry.plugin("test.good")?.description.version == "1.0.0")
            #expect(registry.plugin("test.good@1.0.0") != nil)
            #expect(registry.plugin("test.good@2.0.0") == nil)
            registry.shutdown()
            #expect(registry.plugins.isEmpty)
        }
    }

    @Test("nothing is loaded that is not enabled, and disabled wins")
    func optIn() async throws {
        try await withPlugins { fixture in
            try fixture.install("good", PluginSource.datastore, provides: PluginFixture.guest)
            #expect(try fixture.load(.guest, enabled: []).plugins.isEmpty)
            var configuration = fixture.configuration(.guest, enabled: ["test.good"])
            configuration.disabled = ["test.good"]
            let registry = PluginRegistry(configuration: configuration)
            try registry.load()
            #expect(registry.plugins.isEmpty && registry.refusals.isEmpty)
        }
    }

    @Test("one bad plugin is refused and counted, the good one beside it works")
    func badBesideGood() async throws {
        try await withPlugins { fixture in
            try fixture.install("good", PluginSource.datastore, provides: PluginFixture.guest)
            let library = try fixture.install("text", PluginSource.datastore, provides: PluginFixture.guest)
            try FileManager.default.removeItem(atPath: library)
            try "this is no library".write(toFile: library, atomically: true, encoding: .utf8)
            chmod(library, 0o644)
            try fixture.writeManifest("text", provides: PluginFixture.guest)
            let registry = try fixture.load(.guest, enabled: ["test.good", "test.text", "test.absent"], probes: true)
            #expect(registry.plugins.map(\.manifest.id) == ["test.good"])
            #expect(registry.refusals.map(\.cause) == [.notFound, .probe])
            #expect(registry.refusals.last?.path == library)
            #expect(
                registry.refusals.last?.message.contains("file too short") == true
                    || registry.refusals.last?.message.contains("invalid ELF header") == true)
        }
    }

    struct Fault: CustomTestStringConvertible, Sendable {
        var name: String
        var macros: [String]
        var cause: PluginRefusal.Cause
        var words: String
        var testDescription: String { name }
    }

    @Test(
        "a library that is no plugin is refused with the reason",
        arguments: [
            Fault(name: "noentry", macros: ["NO_ENTRY"], cause: .entry, words: "trove_plugin_entry"),
            Fault(name: "nullentry", macros: ["NULL_ENTRY"], cause: .abi, words: "returned NULL"),
            Fault(name: "major", macros: ["MAJOR=2"], cause: .abi, words: "2.0"),
            Fault(name: "magic", macros: ["MAGIC=7"], cause: .abi, words: "magic"),
            Fault(name: "size", macros: ["SIZE=4"], cause: .abi, words: "4 bytes in the plugin"),
            Fault(name: "other", macros: ["ID=\"test.someone\""], cause: .mismatch, words: "test.someone"),
            Fault(name: "version", macros: ["VERSION=\"2.0.0\""], cause: .mismatch, words: "version: "),
            Fault(name: "missing", macros: ["TABLE=NULL"], cause: .mismatch, words: "trove.datastore/1"),
        ])
    func faults(_ fault: Fault) async throws {
        try await withPlugins { fixture in
            try fixture.install(
                fault.name, PluginSource.datastore, provides: PluginFixture.guest, macros: fault.macros)
            let registry = try fixture.load(.guest, enabled: ["test.\(fault.name)"])
            #expect(registry.plugins.isEmpty)
            #expect(registry.refusals.map(\.cause) == [fault.cause])
            #expect(registry.refusals.first?.message.contains(fault.words) == true, "\(registry.refusals)")
        }
    }

    @Test("a table without a function that it must have is refused, naming the function")
    func incompleteTable() async throws {
        try await withPlugins { fixture in
            let source = PluginSource.datastore.replacing(".launch = ds_launch,", with: "")
            try fixture.install("hole", source, provides: PluginFixture.guest)
            let refusal = try #require(try fixture.load(.guest, enabled: ["test.hole"]).refusals.first)
            #expect(refusal.cause == .table)
            #expect(refusal.message.contains("launch must not be NULL"))
        }
    }

    @Test("a constructor that aborts and a truncated library kill the trial, not the host")
    func trials() async throws {
        try await withPlugins { fixture in
            try fixture.install(
                "aborts", PluginSource.datastore, provides: PluginFixture.guest, macros: ["ABORTS"])
            let library = try fixture.install("cut", PluginSource.datastore, provides: PluginFixture.guest)
            let whole = try Data(contentsOf: URL(fileURLWithPath: library))
            try FileManager.default.removeItem(atPath: library)
            try whole.prefix(4096).write(to: URL(fileURLWithPath: library))
            chmod(library, 0o644)
            try fixture.writeManifest("cut", provides: PluginFixture.guest)
            let registry = try fixture.load(.guest, enabled: ["test.aborts", "test.cut"], probes: true)
            #expect(registry.refusals.map(\.cause) == [.probe, .probe])
            #expect(registry.refusals[0].message.contains("signal 6 (SIGABRT)"), "\(registry.refusals)")
            #expect(registry.refusals[0].message.contains("under trial"))
            #expect(registry.refusals[1].path.hasSuffix("cut/plugin.so"))
        }
    }

    @Test("a trial that does not end is stopped")
    func endlessTrial() async throws {
        try await withPlugins { fixture in
            try fixture.install(
                "sleeps", PluginSource.datastore + "\n__attribute__((constructor)) static void s(void) { sleep(60); }",
                provides: PluginFixture.guest)
            var configuration = fixture.configuration(.guest, enabled: ["test.sleeps"], probes: true)
            configuration.probeTimeout = .milliseconds(300)
            let registry = PluginRegistry(configuration: configuration)
            try registry.load()
            #expect(registry.refusals.first?.cause == .probe)
            #expect(registry.refusals.first?.message.contains("did not end within") == true)
        }
    }

    @Test("files that others could have written are refused")
    func permissions() async throws {
        try await withPlugins { fixture in
            let library = try fixture.install("open", PluginSource.datastore, provides: PluginFixture.guest)
            func refusal() throws -> PluginRefusal? {
                try fixture.load(.guest, enabled: ["test.open"]).refusals.first { $0.cause != .notFound }
            }
            chmod(library, 0o664)
            #expect(try refusal()?.cause == .permission)
            #expect(try refusal()?.message.contains("mode 0664") == true)
            chmod(library, 0o4755)
            #expect(try refusal()?.message.contains("setuid") == true)
            chmod(library, 0o644)
            chmod(fixture.root + "/open", 0o777)
            #expect(try refusal()?.path == fixture.root + "/open")
            chmod(fixture.root + "/open", 0o755)
            chmod(fixture.root, 0o1777)
            #expect(try refusal()?.path == fixture.root)
            chmod(fixture.root, 0o755)
            #expect(try refusal() == nil)
            try FileManager.default.moveItem(atPath: library, toPath: library + ".real")
            symlink("plugin.so.real", library)
            #expect(try refusal()?.message == "is a symbolic link")
        }
    }

    @Test("a file of another user is refused", .enabled(if: geteuid() == 0))
    func owner() async throws {
        try await withPlugins { fixture in
            let library = try fixture.install("foreign", PluginSource.datastore, provides: PluginFixture.guest)
            chown(library, 12345, 12345)
            let refusal = try fixture.load(.guest, enabled: ["test.foreign"]).refusals.first
            #expect(refusal?.cause == .permission)
            #expect(refusal?.message.contains("uid 12345") == true)
        }
    }

    @Test("a library that is not the one of the manifest is refused")
    func digest() async throws {
        try await withPlugins { fixture in
            let library = try fixture.install("changed", PluginSource.datastore, provides: PluginFixture.guest)
            let file = try FileHandle(forWritingTo: URL(fileURLWithPath: library))
            try file.seekToEnd()
            try file.write(contentsOf: Data([0]))
            try file.close()
            #expect(try fixture.load(.guest, enabled: ["test.changed"]).refusals.map(\.cause) == [.hash])
        }
    }

    @Test("what this host or role does not offer is refused before the library is touched")
    func requirements() async throws {
        try await withPlugins { fixture in
            try fixture.install("wants", PluginSource.datastore, provides: PluginFixture.guest)
            func message(_ role: PluginRole, _ change: (inout [String: JSONValue]) -> Void) throws -> String? {
                try fixture.writeManifest("wants", provides: PluginFixture.guest, change: change)
                return try fixture.load(role, enabled: ["test.wants"]).refusals.first?.message
            }
            #expect(
                try message(.control) { $0["requires"] = ["trove.process/1"] }?.contains(
                    "trove.process/1 is not offered")
                    == true)
            #expect(try message(.guest) { $0["swift"] = "5.9" }?.contains("Swift 5.9") == true)
            #expect(try message(.guest) { $0["swift"] = .string(HostPlatform.swift) } == nil)
            #expect(
                try message(.guest) { manifest in
                    guard var library = manifest["library"]?.objectValue else { return }
                    library["platform"] = "plan9-mips"
                    manifest["library"] = .object(library)
                }?.contains("plan9-mips") == true)
            #expect(
                try message(.guest) { manifest in
                    guard var library = manifest["library"]?.objectValue else { return }
                    library["abi"] = "2.0"
                    manifest["library"] = .object(library)
                }?.contains("ABI 2.0") == true)
        }
    }

    @Test("the first directory wins, and the one behind it is a warning")
    func shadowing() async throws {
        try await withPlugins { fixture in
            try fixture.install("good", PluginSource.datastore, provides: PluginFixture.guest)
            let second = PluginFixture(root: fixture.root + "2")
            try second.install("good", PluginSource.datastore, provides: PluginFixture.guest)
            var configuration = fixture.configuration(.guest, enabled: ["test.good"])
            configuration.directories = [fixture.root, second.root]
            let registry = PluginRegistry(configuration: configuration)
            try registry.load()
            #expect(registry.plugin("test.good")?.directory == fixture.root + "/good")
            #expect(registry.refusals.map(\.cause) == [.shadowed])
            #expect(registry.refusals.first?.path == second.root + "/good")
        }
    }

    @Test("two plugins with the same route: the second is refused, naming both")
    func clash() async throws {
        try await withPlugins { fixture in
            try fixture.install("a", PluginSource.control, provides: PluginFixture.control, macros: ["FLAG=\"/\""])
            try fixture.install("b", PluginSource.control, provides: PluginFixture.control, macros: ["FLAG=\"/\""])
            let registry = try fixture.load(.control, enabled: ["test.a", "test.b"])
            #expect(registry.plugins.map(\.manifest.id) == ["test.a"])
            #expect(registry.refusals.map(\.cause) == [.clash])
            let message = registry.refusals.first?.message ?? ""
            #expect(message.contains("'test.a'") && message.contains("'test.b'"))
        }
    }

    @Test("a route whose word the manifest does not have is refused")
    func routeWords() async throws {
        try await withPlugins { fixture in
            try fixture.install(
                "words", PluginSource.control, provides: PluginFixture.control,
                macros: ["FLAG=\"/\"", "ROUTE=\"/instances/{id}/root\""])
            let refusal = try fixture.load(.control, enabled: ["test.words"]).refusals.first
            #expect(refusal?.cause == .mismatch)
            #expect(refusal?.message.contains("'root'") == true)
        }
    }
}
