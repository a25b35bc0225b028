// SPDX-License-Identifier: Apache-2.0

import Foundation
import Model
import Testing

extension EndToEnd {
    /// Where backups go, seen by where they lie and that they are restored from there.
    @Suite("Backup strategies", .serialized)
    struct BackupStrategyTests {
        @Test("backups go to the strategy's container, are restored from it, and leave it", .timeLimit(.minutes(10)))
        func containers() async throws {
            try await ControlPlane.with { plane in
                let client = try await RESTClient.login(plane)
                let id = try await client.create(name: "source")
                try await client.wait(id, for: "ACTIVE")
                try await client.must("POST", "/backup_strategies", ["backup_strategy": ["swift_container": "nightly"]])
                let ordinary = try await backup(client, id)
                #expect(ordinary.location.hasSuffix("/nightly/\(ordinary.id)"), "\(ordinary.location)")
                try await client.must(
                    "POST", "/backup_strategies",
                    ["backup_strategy": ["swift_container": "special", "instance_id": .string(id)]])
                let special = try await backup(client, id)
                #expect(special.location.hasSuffix("/special/\(special.id)"), "\(special.location)")
                let copy = try await client.create(name: "copy", backup: special.id)
                try await client.wait(copy, for: "ACTIVE")
                for made in [ordinary, special] {
                    try await client.must("DELETE", "/backups/\(made.id)")
                    try await eventually(60, "the backup is gone") {
                        try await client.call("GET", "/backups/\(made.id)").status == 404
                    }
                }
                try await client.must("DELETE", "/backup_strategies")
                for id in [id, copy] { try await client.delete(id) }
                let left = try await client.must("GET", "/backup_strategies")["backup_strategies"]
                #expect(left == [], "an instance's strategy goes with it")
            }
        }

        private func backup(_ client: RESTClient, _ instance: String) async throws -> (id: String, location: String) {
            let answer = try await client.must(
                "POST", "/backups", ["backup": ["name": "b", "instance": .string(instance)]])
            let id = try #require(answer["backup"]?["id"]?.stringValue)
            try await client.waitBackup(id, for: "COMPLETED")
            let shown = try await client.must("GET", "/backups/\(id)")["backup"]
            return (id, shown?["locationRef"]?.stringValue ?? "")
        }
    }
}
