// SPDX-License-Identifier: Apache-2.0

import Foundation
import Model
import Testing

extension EndToEnd {
    @Suite("Installed below a prefix", .serialized)
    struct InstallTests {
        /// `debug` or `release`, whichever the test bundle belongs to.
        private static let configuration = Build.folder.hasSuffix("/release") ? "release" : "debug"

        @Test("programs, plugins, configuration and runtime are found there", .timeLimit(.minutes(2)))
        func install() async throws {
            let prefix = "\(Build.root)/.build/e2e/prefix-" + UUID().uuidString.prefix(8).lowercased()
            defer { try? FileManager.default.removeItem(atPath: prefix) }
            let install = try await Command.run(["\(Build.root)/scripts/install", Self.configuration, prefix])
            try #require(install.status == 0, "\(install.errors)")
            // A second time over a first one.
            let again = try await Command.run(["\(Build.root)/scripts/install", Self.configuration, prefix])
            #expect(again.status == 0, "\(again.errors)")

            let trove = prefix + "/bin/trove"
            let version = try await Command.run([trove, "--version"])
            #expect(version.output.contains(#/^\d+\.\d+\.\d+\n$/#), "\(version.output)\(version.errors)")
            let flows = try await Command.run([trove, "flows"])
            #expect(flows.output.contains("create_instance/"), "\(flows.errors)")

            try await ControlPlane.with(program: trove) { plane in
                try await foundBelow(prefix, plane)
                let client = try await RESTClient.login(plane)
                let list = try await client.must("GET", "/datastores")
                #expect(list["datastores"]?[0]?["name"] == "mariadb")
                let id = try await client.create(name: "installed")
                try await client.wait(id, for: "ACTIVE")
                try await client.delete(id)
            }
        }

        /// What the control plane has mapped of the Swift runtime and of plugins comes from the prefix.
        private func foundBelow(_ prefix: String, _ plane: ControlPlane) async throws {
            let parent = try #require(plane.pid)
            var mapped: Set<String> = []
            for pid in [parent] + ControlPlane.descendants(of: parent) {
                // Foundation takes the first short read of such a file for its end.
                let maps = try await Command.run(["/usr/bin/cat", "/proc/\(pid)/maps"]).output
                for line in maps.split(separator: "\n") {
                    guard let slash = line.firstIndex(of: "/") else { continue }
                    let path = String(line[slash...])
                    if path.contains("/libswift") || path.hasSuffix("mariadb.so") { mapped.insert(path) }
                }
            }
            #expect(mapped.contains(prefix + "/lib/trove/swift/libswiftCore.so"), "\(mapped)")
            #expect(mapped.contains(prefix + "/lib/trove/plugins/mariadb/mariadb.so"), "\(mapped)")
            #expect(mapped.allSatisfy { $0.hasPrefix(prefix) }, "\(mapped)")
        }
    }
}
