// SPDX-License-Identifier: Apache-2.0

import Foundation
import Model
import Testing

extension EndToEnd {
    /// Plugins that come, change and go under a control plane that serves.
    @Suite("Plugin versions and quarantine", .serialized)
    struct PluginVersionsTests {
        @Test("a new version beside the old one fails no call; roll back, remove and refusals", .timeLimit(.minutes(5)))
        func upgradeUnderLoad() async throws {
            try await ControlPlane.with(configure: { try VersionedPlugin.enable(in: $0) }) { plane in
                let first = try VersionedPlugin(version: "1.0.0").write(in: plane)
                let second = try VersionedPlugin(version: "2.0.0").archive(in: plane)
                try await plane.plugin("install", first, says: "\(VersionedPlugin.id)@1.0.0 is active and in use")
                let client = try await RESTClient.login(plane)
                let old = try await VersionedPlugin.create(client)
                let load = Task { try await Self.load(client, rounds: 30) }
                try await plane.plugin("install", second, says: "\(VersionedPlugin.id)@2.0.0 is active and in use")
                try await load.value
                let new = try await VersionedPlugin.create(client)
                let admin = try await RESTClient.login(plane, asAdministrator: true)
                #expect(try await VersionedPlugin.users("1.0.0", plane).contains(old))
                #expect(try await VersionedPlugin.users("2.0.0", plane).contains(new))
                #expect(try await client.call("GET", "/mgmt/plugins").status == 401)
                #expect(try await admin.call("GET", "/mgmt/plugins/org.example.nobody").status == 404)
                let shown = try await admin.must("GET", "/mgmt/plugins/\(VersionedPlugin.id)")
                #expect(shown["plugin"]?["active_version"]?.stringValue == "2.0.0")

                try await plane.plugin("install", second, says: "with the same files")
                let other = try VersionedPlugin(version: "2.0.0", macros: ["OTHER"]).write(in: plane, as: "other")
                try await plane.plugin("install", other, fails: "a changed plugin needs a new version")
                try await plane.plugin("remove", VersionedPlugin.id + "@2.0.0", fails: "is the active version")
                try await plane.plugin("rollback", VersionedPlugin.id, says: "\(VersionedPlugin.id)@1.0.0 is active")
                try await plane.plugin("remove", VersionedPlugin.id + "@2.0.0", fails: "used by")
                let later = try await VersionedPlugin.create(client)
                #expect(try await VersionedPlugin.users("1.0.0", plane).contains(later))
            }
        }

        @Test("a version that keeps trapping is quarantined and named until it is lifted", .timeLimit(.minutes(5)))
        func quarantine() async throws {
            try await ControlPlane.with(configure: { try VersionedPlugin.enable(in: $0) }) { plane in
                let good = try VersionedPlugin(version: "1.0.0").write(in: plane)
                let bad = try VersionedPlugin(version: "2.0.0", macros: ["TRAPS"]).write(in: plane, as: "bad")
                try await plane.plugin("install", good, says: "in use")
                let client = try await RESTClient.login(plane)
                let standing = try await VersionedPlugin.create(client)
                try await plane.plugin("install", bad, says: "in use")
                for _ in 0..<3 {
                    #expect(try await client.call("POST", "/instances", VersionedPlugin.body).status == 500)
                }
                let refused = try await client.call("POST", "/instances", VersionedPlugin.body)
                #expect(refused.status == 503)
                let words = String(decoding: refused.bytes, as: UTF8.self)
                #expect(words.contains("\(VersionedPlugin.id)@2.0.0") && words.contains("trapped 3 times"))
                #expect(try await client.call("GET", "/instances/\(standing)").status == 200)
                let list = try await plane.trove(["plugin", "list"])
                #expect(list.output.contains("quarantined"))

                // It outlives the control plane.
                try await plane.stop()
                try await plane.start()
                #expect(try await client.call("POST", "/instances", VersionedPlugin.body).status == 503)
                try await plane.plugin("rollback", VersionedPlugin.id, says: "1.0.0 is active and in use")
                _ = try await VersionedPlugin.create(client)
                try await plane.plugin("lift", VersionedPlugin.id, says: "is called again")
                try await plane.plugin("lift", VersionedPlugin.id, fails: "is not quarantined")
                try await plane.plugin("remove", VersionedPlugin.id + "@2.0.0", says: "is removed")
            }
        }

        @Test(
            "packages that would leave their directory, and what signed trust does not know, are refused",
            .timeLimit(.minutes(2)))
        func badPackages() async throws {
            try await ControlPlane.with(configure: { try VersionedPlugin.enable(in: $0) }) { plane in
                let folder = try VersionedPlugin(version: "1.0.0").write(in: plane)
                let link = plane.home + "/link.tar.zst"
                try FileManager.default.createSymbolicLink(
                    atPath: folder + "/out", withDestinationPath: "/etc/passwd")
                try CPlugin.run(["/usr/bin/tar", "--format=ustar", "--zstd", "-C", folder, "-cf", link, "."])
                try await plane.plugin("install", link, fails: "is a link")
                try await plane.plugin("install", folder, fails: "is a symbolic link")
                try FileManager.default.removeItem(atPath: folder + "/out")
                let up = plane.home + "/up.tar.zst"
                try CPlugin.run([
                    "/usr/bin/tar", "--format=ustar", "--zstd", "-C", folder, "--transform=s,^,../,", "-P", "-cf", up,
                    "plugin.json",
                ])
                try await plane.plugin("install", up, fails: "leads out of the package")
                try "no archive".write(toFile: up, atomically: false, encoding: .utf8)
                try await plane.plugin("install", up, fails: "no zstd file")
                let names = try FileManager.default.contentsOfDirectory(atPath: plane.home + "/plugins/installed")
                #expect(names.isEmpty, "\(names)")

                try plane.configure("plugins.yaml", "enabled: []\ntrust:\n  digest: signed\n")
                try await plane.plugin("install", folder, fails: "no *.pem in the trust directory")
                let made = try await Command.run(
                    [Build.trove, "plugin", "keygen", plane.home + "/vendor"], environment: [:])
                #expect(made.status == 0, "\(made.errors)")
                try FileManager.default.createDirectory(
                    atPath: plane.home + "/config/trust", withIntermediateDirectories: true)
                try FileManager.default.copyItem(
                    atPath: plane.home + "/vendor.pem", toPath: plane.home + "/config/trust/vendor.pem")
                let signed = try await Command.run(
                    [Build.trove, "plugin", "sign", folder, "--key", plane.home + "/vendor.key"], environment: [:])
                #expect(signed.status == 0, "\(signed.errors)")
                try await plane.plugin("install", folder, says: "signed by vendor (")
            }
        }

        /// Creates and lists while a version changes; every answer must be the one that it always is.
        private static func load(_ client: RESTClient, rounds: Int) async throws {
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<rounds {
                    group.addTask { _ = try await VersionedPlugin.create(client) }
                    group.addTask { try await client.must("GET", "/instances") }
                    try await Task.sleep(for: .milliseconds(20))
                }
                try await group.waitForAll()
            }
        }
    }
}

/// One version of a datastore plugin in C, as a package that an operator installs.
struct VersionedPlugin {
    static let id = "org.example.versioned"
    static let body: JSONValue = [
        "instance": [
            "name": "v", "flavorRef": "1", "volume": ["size": 1], "datastore": ["type": "versioned", "version": "1"],
        ]
    ]

    let version: String
    var macros: [String] = []

    /// A datastore of this plugin beside the shipped one, before any version is there.
    static func enable(in plane: ControlPlane) throws {
        try plane.configure(
            "datastores/versioned.yaml",
            "datastore: versioned\ndefault_version: \"1\"\nversions:\n  - name: \"1\"\n    plugin: \(id)\n")
    }

    /// Compiles it into a directory of its own outside the plugin directories.
    func write(in plane: ControlPlane, as name: String? = nil) throws -> String {
        let folder = plane.home + "/packages/" + (name ?? version)
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let source = plane.home + "/packages/plugin.c"
        try CPlugin.code.replacingOccurrences(of: "\"1.0.0\"", with: "\"\(version)\"")
            .write(toFile: source, atomically: false, encoding: .utf8)
        try CPlugin.run(
            ["/usr/bin/cc", "-shared", "-fPIC", "-fvisibility=hidden", "-DPLUGIN_ID=\"\(Self.id)\""]
                + macros.map { "-D\($0)" }
                + ["-I", Build.root + "/Sources/CTrovePlugin/include", "-o", folder + "/plugin.so", source])
        let digest = try CPlugin.run(["/usr/bin/sha256sum", folder + "/plugin.so"]).prefix(64)
        let machine = try CPlugin.run(["/usr/bin/uname", "-m"]).trimmingCharacters(in: .whitespacesAndNewlines)
        try """
        {"manifest": 1, "id": "\(Self.id)", "version": "\(version)", "summary": "One of several \(macros.joined())",
         "library": {"file": "plugin.so", "sha256": "\(digest)", "abi": "1.0", "platform": "linux-\(machine)-gnu"},
         "roles": ["guest", "control"], "provides": ["trove.datastore/1", "trove.datastore-policy/1"], "requires": [],
         "licence": "0BSD"}
        """.write(toFile: folder + "/plugin.json", atomically: false, encoding: .utf8)
        return folder
    }

    func archive(in plane: ControlPlane) throws -> String {
        let folder = try write(in: plane)
        try CPlugin.run([
            "/usr/bin/tar", "--format=ustar", "--zstd", "-C", plane.home + "/packages", "-cf", folder + ".tar.zst",
            version,
        ])
        return folder + ".tar.zst"
    }

    /// A create that must be accepted; its engine never starts, which is of no interest here.
    static func create(_ client: RESTClient) async throws -> String {
        let answer = try await client.must("POST", "/instances", body)
        guard let id = answer["instance"]?["id"]?.stringValue else { throw TestFailure("no id in \(answer.text)") }
        return id
    }

    /// Instances that use a version, as the operator sees it.
    static func users(_ version: String, _ plane: ControlPlane) async throws -> [String] {
        let shown = try await plane.trove(["plugin", "show", "\(id)@\(version)"])
        let document = try JSONValue(parsing: shown.output)
        return (document["versions"]?.arrayValue?.first?["used_by"]?["instances"]?.arrayValue ?? []).compactMap(
            \.stringValue)
    }
}

extension ControlPlane {
    /// Runs `trove plugin`; it must succeed and say `text`.
    func plugin(_ words: String..., says text: String) async throws {
        let result = try await trove(["plugin"] + words)
        #expect(result.status == 0 && result.output.contains(text), "\(words): \(result.output)\(result.errors)")
    }

    /// Runs `trove plugin`; it must fail and say `text`.
    func plugin(_ words: String..., fails text: String) async throws {
        let result = try await trove(["plugin"] + words)
        #expect(result.status == 1 && result.errors.contains(text), "\(words): \(result.output)\(result.errors)")
    }
}
