// SPDX-License-Identifier: Apache-2.0

import Foundation
import Model
import Testing

extension EndToEnd {
    /// From an empty directory outside the checkout to an instance, with what is installed below a prefix and nothing else.
    @Suite("A vendor's first ten minutes", .serialized)
    struct VendorTests {
        private static let configuration = Build.folder.hasSuffix("/release") ? "release" : "debug"

        @Test("plugins in C, Rust and Swift are made, checked, installed and run", .timeLimit(.minutes(10)))
        func firstPlugins() async throws {
            let scratch = "/tmp/trove-vendor-" + UUID().uuidString.prefix(8).lowercased()
            let (prefix, folder) = (scratch + "/prefix", scratch + "/work")
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            defer { try? FileManager.default.removeItem(atPath: scratch) }
            try await must(["\(Build.root)/scripts/install", Self.configuration, prefix])
            try await ControlPlane.with(
                program: prefix + "/bin/trove", configure: { try $0.copySample("datastores/mariadb.yaml") }
            ) { plane in
                let before = try #require(plane.pid)
                let environment = try variables(plane, prefix)
                try await byThePage(plane, folder, environment)
                for language in ["rust", "swift"] { try await other(language, plane, folder, environment) }
                #expect(plane.pid == before)
                try await end(plane)
            }
        }

        /// The page's own commands, block by block.
        private func byThePage(_ plane: ControlPlane, _ folder: String, _ environment: [String: String]) async throws {
            let page = try String(contentsOfFile: Build.root + "/docs/write-a-plugin.md", encoding: .utf8)
            let blocks = page.components(separatedBy: "```sh\n").dropFirst()
                .compactMap { $0.components(separatedBy: "```").first }
            try #require(blocks.count == 5)
            for (index, block) in blocks.enumerated() {
                let directory = index == 0 ? folder : folder + "/cachet"
                try await must(
                    ["/bin/sh", "-euc", "cd \"$0\"\n\(block)", directory], environment: environment, seconds: 300)
                if block.contains("config/datastores") { try await reread(plane, "cachet") }
            }
            try await active(plane, "first")
        }

        private func other(
            _ language: String, _ plane: ControlPlane, _ folder: String, _ environment: [String: String]
        ) async throws {
            let name = "cache-\(language)"
            let steps = """
                cd "$0"
                trove plugin new --kind datastore --language \(language) \(name)
                make -C \(name)
                trove plugin check --repeat 50 \(name)
                trove plugin install \(name)
                cp \(name)/\(name).yaml "$TROVE_HOME/config/datastores/"
                """
            try await must(["/bin/sh", "-euc", steps, folder], environment: environment, seconds: 400)
            try await reread(plane, name)
            try await plane.openstack(
                "database", "instance", "create", language, "--flavor", "1", "--size", "1", "--datastore", name,
                "--datastore-version", "1.6")
            try await active(plane, language)
        }

        private func reread(_ plane: ControlPlane, _ datastore: String) async throws {
            try await plane.hangup()
            try await eventually(30, "\(datastore) is listed") {
                try await plane.openstack("datastore", "list", "-f", "json").text.contains(datastore)
            }
        }

        private func active(_ plane: ControlPlane, _ name: String) async throws {
            try await eventually(120, "\(name) is ACTIVE") {
                let shown = try await plane.openstack("database", "instance", "show", name, "-f", "json")
                if shown["status"] == "ERROR" { throw TestFailure("\(name) is in ERROR: \(shown.text)") }
                return shown["status"] == "ACTIVE"
            }
        }

        private func end(_ plane: ControlPlane) async throws {
            for name in ["first", "rust", "swift"] {
                try await plane.openstack("database", "instance", "delete", name)
            }
            try await eventually(60, "the instances are gone") {
                try await plane.openstack("database", "instance", "list", "-f", "json").arrayValue?.isEmpty ?? false
            }
            let audit = try await plane.trove(["audit"])
            #expect(audit.status == 0, "\(audit.output)")
        }

        /// What a vendor's shell has: the installed programs, the home, and the tenant's variables.
        private func variables(_ plane: ControlPlane, _ prefix: String) throws -> [String: String] {
            let client = URL(fileURLWithPath: Build.openstack).deletingLastPathComponent().path
            let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"
            return try plane.openrc().merging([
                "PATH": "\(prefix)/bin:\(path):\(client)", "TROVE_HOME": plane.home,
            ]) { $1 }
        }

        private func must(
            _ arguments: [String], environment: [String: String] = [:], seconds: Double = 120
        ) async throws {
            let result = try await Command.run(arguments, environment: environment, seconds: seconds)
            guard result.status == 0 else {
                throw TestFailure("\(arguments.last ?? ""): \(result.output)\(result.errors)")
            }
        }
    }
}
