// SPDX-License-Identifier: Apache-2.0

import Foundation
import Model
import Testing

extension EndToEnd {
    /// What the README tells a tenant to type does what it says.
    @Suite("The README", .serialized)
    struct ReadmeTests {
        @Test("every openstack command works as written", .timeLimit(.minutes(5)))
        func commands() async throws {
            let lines = try Self.commands()
            #expect(lines.count { $0.hasPrefix("openstack database instance create") } >= 3)
            try await ControlPlane.with { plane in
                for line in lines {
                    // Words of these lines are plain: no quotes, no variables.
                    let words = line.split(separator: "#")[0].split(separator: " ").dropFirst().map(String.init)
                    try await plane.openstack(words)
                }
                let client = try await RESTClient.login(plane)
                let made = try await client.must("GET", "/instances")["instances"]?.arrayValue ?? []
                for id in made.compactMap({ $0["id"]?.stringValue }) { try await client.wait(id, for: "ACTIVE") }
                let names = Set(made.compactMap { $0["datastore"]?["type"]?.stringValue })
                #expect(names == Set(try Self.datastores()), "the README makes an instance of every datastore")
                for id in made.compactMap({ $0["id"]?.stringValue }) { try await client.delete(id) }
            }
        }

        @Test("every datastore of the samples is in the list of datastores")
        func listOfDatastores() throws {
            let text = try Self.text()
            for name in try Self.datastores() {
                let sample = try String(contentsOfFile: "\(Build.root)/Config/datastores/\(name).yaml", encoding: .utf8)
                let version = try #require(sample.firstMatch(of: #/default_version: "([^"]+)"/#)).1
                #expect(text.contains("| `\(name)` | \(version) |"), "\(name) \(version)")
            }
        }

        private static func text() throws -> String {
            try String(contentsOfFile: Build.root + "/README.md", encoding: .utf8)
        }

        private static func commands() throws -> [String] {
            try text().split(separator: "\n").map(String.init).filter { $0.hasPrefix("openstack ") }
        }

        private static func datastores() throws -> [String] {
            try FileManager.default.contentsOfDirectory(atPath: Build.root + "/Config/datastores")
                .filter { $0.hasSuffix(".yaml") }.map { String($0.dropLast(5)) }.sorted()
        }
    }
}
