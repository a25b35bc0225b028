// SPDX-License-Identifier: Apache-2.0

import Foundation
import Model
import Testing

extension EndToEnd {
    /// What an operator changes in files and with commands.
    @Suite("Files and commands about plugins", .serialized)
    struct PluginOperatorTests {
        private static let plugin = VersionedPlugin.id

        @Test(
            "SIGHUP takes settings and flavors over; what is broken changes nothing and is named",
            .timeLimit(.minutes(2)))
        func hangup() async throws {
            try await ControlPlane.with(configure: { try VersionedPlugin.enable(in: $0) }) { plane in
                let folder = try VersionedPlugin(version: "1.0.0", macros: ["TELLS_SETTINGS"]).write(in: plane)
                try await plane.plugin("install", folder, says: "in use")
                let client = try await RESTClient.login(plane)
                func settings() async throws -> String {
                    let answer = try await client.call("POST", "/instances", VersionedPlugin.body)
                    #expect(answer.status == 400)
                    return String(decoding: answer.bytes, as: UTF8.self)
                }
                #expect(try await !settings().contains("blue"))
                try plane.configure("plugins.yaml", "configuration:\n  \(Self.plugin):\n    color: blue\n")
                try plane.configure(
                    "flavors.yaml",
                    "flavors:\n  - { id: \"1\", name: tiny, ram: 512, vcpus: 1 }\n  - { id: \"9\", name: odd, ram: 700, vcpus: 1 }\n"
                )
                try await plane.hangup()
                try await eventually(30, "the plugin has its settings") { try await settings().contains("blue") }
                let flavor = try await client.must("GET", "/flavors/9")
                #expect(flavor["flavor"]?["ram"]?.intValue == 700)

                try plane.configure(
                    "plugins.yaml", "configuration:\n  \(Self.plugin):\n    color: red\ntrust:\n  digest: maybe\n")
                try await plane.hangup()
                try await eventually(30, "the broken file is named") {
                    plane.logTail(200).contains("plugins.yaml:5")
                }
                #expect(plane.logTail(200).contains("not 'maybe'"))
                #expect(try await settings().contains("blue"))
            }
        }

        @Test("a flavor that an instance has stays", .timeLimit(.minutes(2)))
        func flavorInUse() async throws {
            try await ControlPlane.with(configure: { try VersionedPlugin.enable(in: $0) }) { plane in
                let folder = try VersionedPlugin(version: "1.0.0").write(in: plane)
                try await plane.plugin("install", folder, says: "in use")
                let client = try await RESTClient.login(plane)
                let id = try await VersionedPlugin.create(client)
                try plane.configure("flavors.yaml", "flavors:\n  - { id: \"9\", name: odd, ram: 700, vcpus: 1 }\n")
                try await plane.hangup()
                try await eventually(30, "the flavor is named") {
                    plane.logTail(200).contains("flavor 1 is gone and 1 instances have it (\(id))")
                }
                #expect(try await client.call("GET", "/flavors/9").status == 404)
                #expect(try await client.call("GET", "/flavors/1").status == 200)
            }
        }

        @Test("disable and enable, with and without a control plane", .timeLimit(.minutes(2)))
        func enable() async throws {
            try await ControlPlane.with(configure: { try VersionedPlugin.enable(in: $0) }) { plane in
                let folder = try VersionedPlugin(version: "1.0.0").write(in: plane)
                try await plane.plugin("install", folder, says: "in use")
                let client = try await RESTClient.login(plane)
                let id = try await VersionedPlugin.create(client)
                try await plane.plugin("disable", Self.plugin, says: "it is used by")
                let refused = try await client.call("POST", "/instances", VersionedPlugin.body)
                #expect(refused.status >= 400)
                #expect(String(decoding: refused.bytes, as: UTF8.self).contains(Self.plugin))
                #expect(try await client.call("GET", "/instances/\(id)").status == 200)
                try await plane.plugin("enable", Self.plugin, says: "is active and in use")
                _ = try await VersionedPlugin.create(client)
                try await plane.plugin("enable", "org.example.nobody", fails: "there is no plugin")
                try await plane.plugin("disable", "org.example.nobody", fails: "there is no plugin")

                try await plane.stop()
                try await plane.plugin("disable", Self.plugin, says: "no control plane runs")
                try await plane.start()
                #expect(try await client.call("POST", "/instances", VersionedPlugin.body).status >= 400)
                try await plane.stop()
                try await plane.plugin("enable", Self.plugin, says: "no control plane runs, the next one uses it")
                try await plane.start()
                _ = try await VersionedPlugin.create(client)
            }
        }

        @Test("signatures are openssl's, both ways; GNU tar's long names are taken", .timeLimit(.minutes(2)))
        func packages() async throws {
            try await ControlPlane.with(configure: { plane in
                try VersionedPlugin.enable(in: plane)
                try plane.configure("plugins.yaml", "enabled: []\ntrust:\n  digest: signed\n")
            }) { plane in
                let folder = try VersionedPlugin(version: "1.0.0").write(in: plane)
                let (manifest, openssl) = (folder + "/plugin.json", "/usr/bin/openssl")
                try await Self.must([Build.trove, "plugin", "keygen", plane.home + "/own"])
                try await Self.must([Build.trove, "plugin", "sign", folder, "--key", plane.home + "/own.key"])
                let verified = try await Self.must([
                    openssl, "pkeyutl", "-verify", "-pubin", "-inkey", plane.home + "/own.pem", "-rawin", "-in",
                    manifest,
                    "-sigfile", manifest + ".sig",
                ])
                #expect(verified.contains("Signature Verified Successfully"))

                let (key, trusted) = (plane.home + "/vendor.key", plane.home + "/config/trust/vendor.pem")
                try FileManager.default.createDirectory(
                    atPath: plane.home + "/config/trust", withIntermediateDirectories: true)
                try await Self.must([openssl, "genpkey", "-algorithm", "ed25519", "-out", key])
                try await Self.must([openssl, "pkey", "-in", key, "-pubout", "-out", trusted])
                try await Self.must([
                    openssl, "pkeyutl", "-sign", "-inkey", key, "-rawin", "-in", manifest, "-out", manifest + ".sig",
                ])
                let long = String(repeating: "n", count: 150)
                try "read me".write(toFile: "\(folder)/\(long)", atomically: false, encoding: .utf8)
                let archive = plane.home + "/long.tar.zst"
                try CPlugin.run(["/usr/bin/tar", "--format=gnu", "--zstd", "-C", folder, "-cf", archive, "."])
                try await plane.plugin("install", archive, says: "signed by vendor (")
                let installed = "\(plane.home)/plugins/installed/\(Self.plugin)@1.0.0/\(long)"
                #expect(try String(contentsOfFile: installed, encoding: .utf8) == "read me")
            }
        }

        @discardableResult
        private static func must(_ arguments: [String]) async throws -> String {
            let result = try await Command.run(arguments, environment: [:])
            guard result.status == 0 else { throw TestFailure("\(arguments): \(result.output)\(result.errors)") }
            return result.output
        }
    }
}
