// SPDX-License-Identifier: Apache-2.0

import Foundation
import Model
import Testing

@testable import PluginHost

@Suite("trust in plugins")
struct PluginTrustTests {
    @Test("'off' loads a library that the manifest does not fit; the digest shown is the library's own")
    func off() async throws {
        try await withPlugins { fixture in
            try fixture.install("good", PluginSource.datastore, provides: PluginFixture.guest) { manifest in
                Self.setDigest(&manifest, String(repeating: "0", count: 64))
            }
            #expect(try fixture.refusal(.init()).cause == .hash)
            let loaded = try fixture.loaded(PluginTrust(digest: .off))
            #expect(loaded.sha256 == FileDigest.sha256(path: fixture.library))
        }
    }

    @Test("'pinned' needs the operator's own digest of the version")
    func pinned() async throws {
        try await withPlugins { fixture in
            try fixture.install("good", PluginSource.datastore, provides: PluginFixture.guest)
            let digest = try #require(FileDigest.sha256(path: fixture.library))
            let missing = try fixture.refusal(PluginTrust(digest: .pinned, pins: ["test.good@2.0.0": digest]))
            #expect(missing.cause == .pin)
            #expect(missing.message.contains("no pin for test.good@1.0.0") && missing.message.contains(digest))
            let other = String(repeating: "a", count: 64)
            let wrong = try fixture.refusal(PluginTrust(digest: .pinned, pins: ["test.good@1.0.0": other]))
            #expect(wrong.cause == .pin && wrong.message.contains(other) && wrong.message.contains(digest))
            _ = try fixture.loaded(PluginTrust(digest: .pinned, pins: ["test.good@1.0.0": digest]))
        }
    }

    @Test("'signed' needs a signature under a trusted key, and names who signed")
    func signed() async throws {
        try await withPlugins { fixture in
            try fixture.install("good", PluginSource.datastore, provides: PluginFixture.guest)
            var trust = PluginTrust(digest: .signed, keys: fixture.root + "/../keys")
            #expect(try fixture.refusal(trust).message.contains("no *.pem in the trust directory"))
            let (vendor, stranger) = (try #require(SigningKey.generate()), try #require(SigningKey.generate()))
            trust.keys = try fixture.trust("vendor", vendor.publicKey)
            #expect(try fixture.refusal(trust).message.contains("is not there"))
            try fixture.sign(stranger.privateKey)
            let wrong = try fixture.refusal(trust)
            #expect(wrong.cause == .signature && wrong.path.hasSuffix("plugin.json.sig"))
            #expect(wrong.message.contains("under any trusted key (vendor "))
            try fixture.sign(vendor.privateKey)
            let own = try #require(SigningKey.publicBytes(ofPrivate: vendor.privateKey))
            #expect(try fixture.loaded(trust).signer == "vendor (\(SigningKey.fingerprint(own)))")
            // Shown also where it is not asked for.
            trust.digest = .manifest
            #expect(try fixture.loaded(trust).signer?.hasPrefix("vendor (") == true)
        }
    }

    @Test("a manifest that was changed after it was signed, and a signature that is cut, are refused")
    func changedManifest() async throws {
        try await withPlugins { fixture in
            try fixture.install("good", PluginSource.datastore, provides: PluginFixture.guest)
            let vendor = try #require(SigningKey.generate())
            let trust = PluginTrust(digest: .signed, keys: try fixture.trust("vendor", vendor.publicKey))
            try fixture.sign(vendor.privateKey)
            try fixture.writeManifest("good", provides: PluginFixture.guest) { $0["summary"] = "changed" }
            #expect(try fixture.refusal(trust).message.contains("does not fit the manifest"))
            let path = fixture.root + "/good/plugin.json.sig"
            try Data(repeating: 7, count: 63).write(to: URL(fileURLWithPath: path))
            chmod(path, 0o644)
            #expect(try fixture.refusal(trust).message.contains("64 bytes"))
        }
    }

    @Test("trust files that others could have written, and keys that are none, are refused by name")
    func trustFiles() async throws {
        try await withPlugins { fixture in
            try fixture.install("good", PluginSource.datastore, provides: PluginFixture.guest)
            let vendor = try #require(SigningKey.generate())
            let keys = try fixture.trust("vendor", vendor.publicKey)
            let trust = PluginTrust(digest: .signed, keys: keys)
            try fixture.sign(vendor.privateKey)
            chmod(keys + "/vendor.pem", 0o666)
            let open = try fixture.refusal(trust)
            #expect(open.cause == .signature && open.message.contains("vendor.pem can be written by group or others"))
            chmod(keys + "/vendor.pem", 0o644)
            chmod(keys, 0o777)
            #expect(try fixture.refusal(trust).message.contains("can be written by group or others"))
            chmod(keys, 0o755)
            _ = try fixture.trust("secret", vendor.privateKey)
            #expect(try fixture.refusal(trust).message.contains("secret.pem"))
            try FileManager.default.removeItem(atPath: keys + "/secret.pem")
            chmod(fixture.root + "/good/plugin.json.sig", 0o666)
            #expect(try fixture.refusal(trust).cause == .permission)
            chmod(fixture.root + "/good/plugin.json.sig", 0o644)
            _ = try fixture.loaded(trust)
        }
    }

    @Test("with 'conformance: required' a passing report about this very library must be on record")
    func conformance() async throws {
        try await withPlugins { fixture in
            try fixture.install("good", PluginSource.datastore, provides: PluginFixture.guest)
            let digest = try #require(FileDigest.sha256(path: fixture.library))
            let trust = PluginTrust(conformance: .required, reports: fixture.root + "/reports")
            #expect(try fixture.refusal(trust).message.contains("no report is on record"))
            let record = ConformanceRecord(directory: trust.reports)
            func report(_ id: String, _ passed: Bool) -> JSONValue {
                [
                    "format": 1, "plugin": ["id": .string(id), "version": "1.0.0", "sha256": .string(digest)],
                    "passed": .bool(passed),
                    "checks": [
                        ["name": "symbols.exports", "outcome": passed ? "passed" : "failed"],
                        ["name": "init.fast", "outcome": "passed"],
                    ],
                ]
            }
            _ = try record.store(report("test.good", false))
            #expect(try fixture.refusal(trust).message.contains("did not pass: 1 findings (symbols.exports)"))
            _ = try record.store(report("test.other", true))
            #expect(try fixture.refusal(trust).message.contains("about another plugin"))
            let path = try record.store(report("test.good", true))
            _ = try fixture.loaded(trust)
            chmod(path, 0o646)
            #expect(try fixture.refusal(trust).cause == .permission)
            #expect(throws: PluginError.self) { try record.store(["format": 2]) }
        }
    }

    @Test("a library that is swapped after it was hashed is not the one that is mapped")
    func swapped() async throws {
        try await withPlugins { fixture in
            try fixture.install("good", PluginSource.datastore, provides: PluginFixture.guest)
            try fixture.install(
                "evil", PluginSource.datastore, provides: PluginFixture.guest, macros: ["VERSION=\"6.6.6\""])
            let candidate = try #require(PluginCatalog(directories: [fixture.root]).find(PluginReference("test.good")))
            let library = try PluginVerifier(trust: PluginTrust()).open(candidate)
            try FileManager.default.removeItem(atPath: fixture.library)
            try FileManager.default.moveItem(atPath: fixture.root + "/evil/plugin.so", toPath: fixture.library)
            let image = try LibraryImage.open(library.file, path: fixture.library, id: "test.good")
            #expect(image.id == "test.good" && image.version == "1.0.0")
            #expect(throws: PluginRefusal.self) { try PluginVerifier(trust: PluginTrust()).open(candidate) }
        }
    }

    @Test("a directory that became a symbolic link after it was found is refused")
    func swappedDirectory() async throws {
        try await withPlugins { fixture in
            try fixture.install("good", PluginSource.datastore, provides: PluginFixture.guest)
            let candidate = try #require(PluginCatalog(directories: [fixture.root]).find(PluginReference("test.good")))
            try FileManager.default.moveItem(atPath: fixture.root + "/good", toPath: fixture.root + "/moved")
            try FileManager.default.createSymbolicLink(
                atPath: fixture.root + "/good", withDestinationPath: fixture.root + "/moved")
            do throws(PluginRefusal) {
                _ = try PluginVerifier(trust: PluginTrust()).open(candidate)
                Issue.record("a link was followed")
            } catch {
                #expect(error.cause == .permission)
            }
        }
    }

    @Test("trust crosses processes as a document, and nothing unknown is taken for the default")
    func document() throws {
        let trust = PluginTrust(
            digest: .signed, pins: ["a.b@1.0.0": String(repeating: "0", count: 64)], keys: "/k",
            conformance: .required, reports: "/r", probed: "/p")
        #expect(try PluginTrust(json: trust.json) == trust)
        #expect(try PluginTrust(json: [:]) == PluginTrust())
        for wrong: JSONValue in [
            ["digest": "sha1"], ["conformance": true], ["pins": ["a.b@1": "00"]], ["keys": "relative"], "signed",
        ] {
            #expect(throws: PluginError.self) { try PluginTrust(json: wrong) }
        }
    }

    static func setDigest(_ manifest: inout [String: JSONValue], _ digest: String) {
        var library = manifest["library"]?.objectValue ?? [:]
        library["sha256"] = .string(digest)
        manifest["library"] = .object(library)
    }
}

extension PluginFixture {
    /// Of the plugin `good`.
    fileprivate var library: String { root + "/good/plugin.so" }

    private func load(_ trust: PluginTrust) throws -> PluginRegistry {
        var configuration = configuration(.guest, enabled: ["test.good"])
        configuration.trust = trust
        let registry = PluginRegistry(configuration: configuration)
        try registry.load()
        return registry
    }

    fileprivate func refusal(_ trust: PluginTrust) throws -> PluginRefusal {
        let registry = try load(trust)
        #expect(registry.plugins.isEmpty)
        return try #require(registry.refusals.last)
    }

    fileprivate func loaded(_ trust: PluginTrust) throws -> LoadedPlugin {
        let registry = try load(trust)
        return try #require(registry.plugin("test.good"), "\(registry.refusals)")
    }

    /// Trusts a key; the directory of trusted keys.
    fileprivate func trust(_ name: String, _ pem: [UInt8]) throws -> String {
        let keys = root + "/../keys"
        try FileManager.default.createDirectory(atPath: keys, withIntermediateDirectories: true)
        chmod(keys, 0o755)
        try Data(pem).write(to: URL(fileURLWithPath: "\(keys)/\(name).pem"))
        chmod("\(keys)/\(name).pem", 0o644)
        return URL(fileURLWithPath: keys).standardizedFileURL.path
    }

    fileprivate func sign(_ key: [UInt8]) throws {
        let manifest = root + "/good/plugin.json"
        let bytes = try Data(contentsOf: URL(fileURLWithPath: manifest))
        let signature = try #require(SigningKey.sign(Array(bytes), pem: key))
        try Data(signature).write(to: URL(fileURLWithPath: manifest + ".sig"))
        chmod(manifest + ".sig", 0o644)
    }
}
