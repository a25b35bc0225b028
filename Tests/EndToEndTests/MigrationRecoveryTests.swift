// SPDX-License-Identifier: Apache-2.0

import Foundation
import Model
import Testing

extension EndToEnd {
    /// A migration to another version of a plugin survives the end of the control plane at each of its points.
    @Suite("Recovery of a plugin's migration", .serialized)
    struct MigrationRecoveryTests {
        private static let versions = ["1.0.0", "2.0.0"]

        @Test("every point is survived: the new version is mapped, the engine ran on", .timeLimit(.minutes(5)))
        func everyPoint() async throws {
            try await ControlPlane.with(configure: { try MemcachedPackage.enable(in: $0) }) { plane in
                let points = try await Command.run([Build.trove, "flows"]).output.split(separator: "\n").map(
                    String.init
                )
                .filter { $0.hasPrefix("migrate_plugin/") }
                #expect(points.count >= 3 * 2)
                for version in Self.versions {
                    let package = try MemcachedPackage(version: version).write(in: plane)
                    try await plane.plugin("install", package, says: "is active")
                }
                let caches = Memcaches(try await RESTClient.login(plane))
                let id = try await caches.create("moving")
                try await caches.active([id])
                let engine = try await caches.engines([id])[id]
                for (number, point) in points.enumerated() {
                    do {
                        try await survive(point, to: Self.versions[number % 2], id, plane)
                    } catch {
                        throw TestFailure("\(point): \(error)")
                    }
                }
                let last = Memcaches(try await RESTClient.login(plane))
                #expect(try await last.engines([id])[id] == engine, "the engine ran on")
                try await last.delete([id])
                let audit = try await plane.trove(["audit"])
                #expect(audit.status == 0, "\(audit.output)")
            }
        }

        private func survive(_ point: String, to version: String, _ id: String, _ plane: ControlPlane) async throws {
            try await plane.stop()
            try await plane.start(arguments: ["--crash-at", point])
            try await plane.plugin(
                "activate", "\(MemcachedPackage.id)@\(version)", says: "\(MemcachedPackage.id)@\(version) is active")
            // The command waits for work that the next control plane ends.
            async let command = plane.trove(["datastore", "migrate", MemcachedPackage.id, "--instance", id])
            try await plane.waitForEnd(seconds: 60)
            try await plane.start()
            let caches = Memcaches(try await RESTClient.login(plane))
            try await eventually(60, "the agent maps \(version)") {
                try await Task.sleep(for: .milliseconds(100))
                guard try await caches.list()[id] == "ACTIVE" else { return false }
                return try await caches.release(id) == version
            }
            _ = try await command
            let audit = try await plane.trove(["audit"])
            #expect(audit.status == 0, "\(point): \(audit.output)")
        }
    }
}
