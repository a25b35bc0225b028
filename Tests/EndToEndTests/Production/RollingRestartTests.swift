// SPDX-License-Identifier: Apache-2.0

import Foundation
import Model
import Testing

extension EndToEnd {
    /// The schema of the next release is made, then every process is replaced, while clients go on calling.
    @Suite("A rolling restart", .serialized)
    struct RollingRestartTests {
        private static let names = [
            "api-1", "api-2", "conductor-1", "conductor-2", "taskmanager-1", "taskmanager-2",
        ]

        @Test("no call fails, and what was accepted on the way ends right", .timeLimit(.minutes(15)))
        func everyProcess() async throws {
            try await RolePlane.with(environment: ["TROVE_API_WORKERS": "2"]) { plane in
                try await plane.start(all: Self.names)
                let client = try await PlainClient.login(plane)
                let source = try await client.create("source")
                try await client.wait("/instances/\(source)", for: "ACTIVE")
                try await client.fill(source)
                let loop = CallLoop(client, instance: source, keptConnections: 2)
                do {
                    try await roll(plane, client, source)
                } catch {
                    await loop.end()
                    throw error
                }
                await loop.end()
                #expect(loop.failures == [], "of \(loop.calls) calls")
                #expect(loop.calls > 100)
                print("\(loop.calls) calls during the rolling restart, slowest: \(loop.slowest)")
                try await refusedLater(plane)
                try await client.delete("instances", [source])
                let audit = try await plane.audit()
                #expect(audit == "", "\(audit)")
                #expect(plane.traps() == [])
                try await plane.stopAll()
            }
        }

        private func roll(_ plane: RolePlane, _ client: PlainClient, _ source: String) async throws {
            try await migrate(plane)
            let status = try await plane.trove(["db", "status"])
            #expect(status.status == 1 && status.output.contains("this one may go on"), "\(status.output)")
            // A worker of the release before is started again on the next one's schema.
            let killed = try #require(try plane.process("conductor-1").workers.first)
            kill(killed, SIGKILL)
            try await eventually(30, "another worker is there") {
                try plane.process("conductor-1").workers.first.map { $0 != killed } ?? false
            }
            for role in ["conductor", "taskmanager", "api"] {
                let began = ContinuousClock.now
                // In the middle of its flow while processes go.
                let made = try await client.create("made-\(role)")
                let backup = try await client.backup(of: source, "kept-\(role)")
                try await replace(try plane.process("\(role)-1"))
                try await plane.process("\(role)-2").stop()
                try await plane.start("\(role)-2")
                #expect(try plane.process("\(role)-2").log.contains("the schema is of a newer release"))
                try await client.wait("/backups/\(backup)", for: "COMPLETED")
                try await client.wait("/instances/\(made)", for: "ACTIVE")
                try await client.fill(made)
                try await client.delete("backups", [backup])
                try await client.delete("instances", [made])
                print(
                    "\(role): both were replaced and all is done after \(String(format: "%.1f", began.secondsToNow)) s")
            }
        }

        /// What the next release's `trove db upgrade` does: one migration that this release's programs may go on with.
        private func migrate(_ plane: RolePlane) async throws {
            _ = try await plane.space.sql(
                """
                ALTER TABLE instances ADD COLUMN fixture bigint NOT NULL DEFAULT 7;
                INSERT INTO schema_migrations (number, name, applied, compatible_from)
                SELECT MAX(number) + 1, 'fixture', MAX(applied), MAX(number) FROM schema_migrations
                """)
        }

        /// SIGUSR2: every worker has a successor, and has gone.
        private func replace(_ process: RoleProcess) async throws {
            let before = Set(process.workers)
            process.signal(SIGUSR2)
            try await eventually(60, "the workers of \(process.name) have successors") {
                let now = Set(process.workers)
                return now.count == before.count && now.isDisjoint(with: before)
            }
        }

        /// A schema that this release may not work on is refused at the start, with a sentence; who runs goes on.
        private func refusedLater(_ plane: RolePlane) async throws {
            _ = try await plane.space.sql(
                "UPDATE schema_migrations SET compatible_from = number WHERE name = 'fixture'")
            let refused = try plane.launch("conductor-3")
            try await refused.waitEnd(seconds: 30)
            #expect(refused.log.contains("run the release that wrote it or a newer one"), "\(refused.log)")
            _ = try await plane.space.sql(
                "UPDATE schema_migrations SET compatible_from = number - 1 WHERE name = 'fixture'")
        }
    }
}
