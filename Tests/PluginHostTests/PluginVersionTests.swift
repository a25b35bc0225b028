// SPDX-License-Identifier: Apache-2.0

import Foundation
import Model
import Testing

@testable import PluginHost

@Suite("versions, damaged libraries and remembered trials")
struct PluginVersionTests {
    @Test("two versions side by side: a reference without one means the active one, and only its routes are served")
    func sideBySide() async throws {
        try await withPlugins { fixture in
            try fixture.installVersions(["1.0.0", "2.0.0"])
            var configuration = fixture.configuration(.control, enabled: ["test.good", "test.good@1.0.0"])
            configuration.active = ["test.good": "2.0.0"]
            let registry = PluginRegistry(configuration: configuration)
            try registry.load()
            #expect(registry.refusals == [])
            #expect(registry.plugins.count == 2)
            #expect(registry.plugin("test.good")?.manifest.version == "2.0.0")
            #expect(registry.plugin("test.good@1.0.0")?.manifest.version == "1.0.0")
            #expect(Set(registry.routes.map(\.version)) == ["2.0.0"])
            #expect(registry.descriptions.filter(\.isActive).map(\.version) == ["2.0.0"])
            registry.shutdown()
        }
    }

    @Test("an active version that is not there is refused by name; another one does not take its place")
    func activeIsMissing() async throws {
        try await withPlugins { fixture in
            try fixture.installVersions(["1.0.0"])
            var configuration = fixture.configuration(.control, enabled: ["test.good"])
            configuration.active = ["test.good": "3.0.0"]
            let registry = PluginRegistry(configuration: configuration)
            try registry.load()
            #expect(registry.plugins.isEmpty)
            #expect(registry.refusals.map(\.cause) == [.notFound])
            #expect(registry.refusals.first?.message.contains("test.good@3.0.0") == true)
        }
    }

    @Test("two plugins with one id and version: the second is a warning that names the first")
    func twins() async throws {
        try await withPlugins { fixture in
            try fixture.install(
                "a", PluginSource.datastore, provides: PluginFixture.guest, macros: ["ID=\"test.twin\""]
            ) {
                $0["id"] = "test.twin"
            }
            try fixture.install(
                "b", PluginSource.datastore, provides: PluginFixture.guest, macros: ["ID=\"test.twin\""]
            ) {
                $0["id"] = "test.twin"
            }
            let registry = try fixture.load(.guest, enabled: ["test.twin"])
            #expect(registry.plugin("test.twin")?.directory.hasSuffix("/a") == true)
            #expect(registry.refusals.map(\.cause) == [.shadowed])
            #expect(registry.refusals.first?.message.contains("/a") == true)
        }
    }

    @Test("a library of another word size, and one that needs a library that is missing, are refused with the reason")
    func damaged() async throws {
        try await withPlugins { fixture in
            let narrow = try fixture.install("narrow", PluginSource.datastore, provides: PluginFixture.guest)
            var bytes = try Data(contentsOf: URL(fileURLWithPath: narrow))
            // EI_CLASS: ELFCLASS32. Source: elf(5).
            bytes[4] = 1
            try bytes.write(to: URL(fileURLWithPath: narrow))
            chmod(narrow, 0o644)
            try fixture.writeManifest("narrow", provides: PluginFixture.guest)
            let lonely = try fixture.install("lonely", PluginSource.datastore, provides: PluginFixture.guest)
            var text = try Data(contentsOf: URL(fileURLWithPath: lonely))
            let name = try #require(text.range(of: Data("libc.so.6".utf8)))
            text.replaceSubrange(name, with: Data("libz.so.0".utf8))
            try text.write(to: URL(fileURLWithPath: lonely))
            chmod(lonely, 0o644)
            try fixture.writeManifest("lonely", provides: PluginFixture.guest)
            let registry = try fixture.load(.guest, enabled: ["test.narrow", "test.lonely"], probes: true)
            #expect(registry.plugins.isEmpty)
            #expect(registry.refusals.map(\.cause) == [.probe, .probe])
            #expect(registry.refusals.contains { $0.path == narrow && $0.message.contains("wrong ELF class") })
            #expect(registry.refusals.contains { $0.path == lonely && $0.message.contains("libz.so.0") })
        }
    }

    @Test("a trial that went well is remembered for other processes, for this release and in our own files alone")
    func remembered() async throws {
        try await withPlugins { fixture in
            try fixture.install("remembered", PluginSource.datastore, provides: PluginFixture.guest)
            var configuration = fixture.configuration(.guest, enabled: ["test.remembered"])
            configuration.probeCommand = ["/bin/false"]
            configuration.trust.probed = fixture.root + "/probed"
            func load() throws -> [PluginRefusal.Cause] {
                let registry = PluginRegistry(configuration: configuration)
                try registry.load()
                return registry.refusals.map(\.cause)
            }
            #expect(try load() == [.probe])
            let digest = try #require(FileDigest.sha256(path: fixture.root + "/remembered/plugin.so"))
            ProbedDigests(directory: configuration.trust.probed, hostVersion: "0.0.1").add(digest)
            #expect(try load() == [.probe])
            let known = ProbedDigests(
                directory: configuration.trust.probed, hostVersion: configuration.hostVersion)
            known.add(digest)
            #expect(known.contains(digest))
            chmod("\(configuration.trust.probed)/\(digest)", 0o666)
            #expect(try load() == [.probe])
            known.add(digest)
            #expect(try load() == [])
        }
    }

    @Test("loading a plugin that was tried before takes about a millisecond")
    func quick() async throws {
        try await withPlugins { fixture in
            try fixture.install("good", PluginSource.datastore, provides: PluginFixture.guest)
            var configuration = fixture.configuration(.guest, enabled: ["test.good"], probes: true)
            configuration.trust.probed = fixture.root + "/probed"
            try PluginRegistry(configuration: configuration).load()
            let candidate = try #require(PluginCatalog(directories: [fixture.root]).find(PluginReference("test.good")))
            let best = try (0..<10).map { _ in
                try ContinuousClock().measure { _ = try PluginLoader(configuration: configuration).load(candidate) }
            }.min()
            // The bound is for a release build on a quiet machine; a debug build under load has ten times that.
            #expect(try #require(best) < .milliseconds(10))
        }
    }

    @Test("three traps within ten minutes are too many: in the runner, or across guests")
    func faults() {
        var counter = PluginFaultCounter()
        let start = Timestamp(microseconds: 1_700_000_000_000_000)
        #expect(counter.add("a@1", .runner, reason: "signal 11", now: start) == nil)
        #expect(counter.add("a@1", .guest(instanceID: "i"), reason: "signal 6", now: start) == nil)
        #expect(counter.add("a@1", .runner, reason: "signal 11", now: start + .seconds(601)) == nil)
        #expect(counter.add("a@1", .runner, reason: "signal 11", now: start + .seconds(602)) == nil)
        let reason = counter.add("a@1", .runner, reason: "signal 4", now: start + .seconds(603))
        #expect(reason == "it trapped 3 times within 10 minutes in the plugin runner, last with signal 4")
        #expect(counter.crashes["a@1"]?.count == 5 && counter.crashes["a@1"]?.reason == "signal 4")
        counter.forget("a@1")
        #expect(counter.add("a@1", .runner, reason: "signal 4", now: start + .seconds(604)) == nil)
        #expect(counter.add("b@1", .guest(instanceID: "i"), reason: "signal 6", now: start) == nil)
        #expect(counter.add("b@1", .guest(instanceID: "j"), reason: "signal 6", now: start) == nil)
        #expect(
            counter.add("b@1", .guest(instanceID: "k"), reason: "signal 6", now: start)?.contains("guest agents")
                == true)
    }
}

extension PluginFixture {
    /// Versions of `test.good` with a route, one directory each.
    fileprivate func installVersions(_ versions: [String]) throws {
        for version in versions {
            try install(
                "good-" + version, PluginSource.control, provides: PluginFixture.control,
                macros: ["ID=\"test.good\"", "VERSION=\"\(version)\"", "FLAG=\"/\""]
            ) { manifest in
                manifest["id"] = "test.good"
                manifest["version"] = .string(version)
            }
        }
    }
}
