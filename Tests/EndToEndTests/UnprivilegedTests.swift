// SPDX-License-Identifier: Apache-2.0

import Foundation
import Model
import Testing

extension EndToEnd {
    /// No mounts, no uids, no control groups: the whole product under one ordinary user.
    @Suite(
        "Without root", .serialized,
        .enabled(if: Shape.current == .embedded, "one user's hub, file and identity are what it is about"))
    struct UnprivilegedTests {
        /// An ordinary user that nobody is; nil when the tests run as one already.
        private static let uid: uid_t? = Build.isRoot ? 12345 : nil

        @Test("the whole story works, and nothing is left of it", .timeLimit(.minutes(5)))
        func story() async throws {
            var home = ""
            try await ControlPlane.with(asUser: Self.uid) { plane in
                home = plane.home
                let notices = plane.logTail(500).components(separatedBy: "running without root").count - 1
                #expect(notices == 1, "it says once what running without root means")

                let client = try await RESTClient.login(plane)
                let id = try await client.create(name: "plain")
                let address = try SQL.address(try await client.wait(id, for: "ACTIVE"))
                try await fill(client, id, address)
                let backup = try await backup(client, id)
                _ = try await sql(address, "DELETE FROM fruit WHERE n = 2")
                #expect(try await sql(address, "SELECT COUNT(*) FROM fruit") == "2")

                let restored = try await client.create(name: "restored", backup: backup)
                let second = try SQL.address(try await client.wait(restored, for: "ACTIVE"))
                #expect(try await sql(second, "SELECT GROUP_CONCAT(name ORDER BY n) FROM fruit") == "apple,pear,plum")

                try await client.must("POST", "/instances/\(restored)/action", ["restart": [:]])
                try await client.wait(restored, for: "ACTIVE")
                #expect(try await sql(second, "SELECT COUNT(*) FROM fruit") == "3")

                try await owners(plane, id)
                try await agentDies(plane, client, id, address)
                try await clean(plane)
                try await controlPlaneRestarts(plane, id)

                let again = try await RESTClient.login(plane)
                try await again.delete(restored)
                try await again.must("DELETE", "/backups/\(backup)")
                try await again.waitBackup(backup, for: "GONE")
                try await clean(plane)
                // The first instance lives on: purge ends it and removes it.
                try await plane.stop()
                let purge = try await plane.trove(["purge", "--yes"])
                #expect(purge.status == 0, "\(purge.errors)")
                #expect(!FileManager.default.fileExists(atPath: plane.home))
                #expect(plane.agent(of: id) == nil)
                #expect(plane.engine(of: id) == nil)
            }
            #expect(ControlPlane.processes(mentioning: home).isEmpty)
        }

        @Test("a run directory that somebody else made is refused", .enabled(if: Build.isRoot, "needs another user"))
        func foreignRunDirectory() async throws {
            let trap = "/tmp/trove-trap-" + UUID().uuidString.prefix(8).lowercased()
            try #require(mkdir(trap, 0o777) == 0 && chown(trap, 23456, 23456) == 0)
            defer { rmdir(trap) }
            let plane = try ControlPlane(environment: ["TROVE_RUN_DIR": trap], asUser: 12345)
            await #expect(throws: TestFailure.self) { try await plane.start() }
            #expect(plane.logTail().contains("name another one with TROVE_RUN_DIR"), "\(plane.logTail())")
            await plane.destroy()
            #expect(try FileManager.default.contentsOfDirectory(atPath: trap).isEmpty)
        }

        private func fill(_ client: RESTClient, _ id: String, _ address: String) async throws {
            try await client.must("POST", "/instances/\(id)/databases", ["databases": [["name": "shop"]]])
            let clerk: JSONValue = ["name": "clerk", "password": "s3cret", "databases": [["name": "shop"]]]
            try await client.must("POST", "/instances/\(id)/users", ["users": [clerk]])
            _ = try await sql(
                address,
                """
                CREATE TABLE fruit (n INT PRIMARY KEY, name VARCHAR(9));
                INSERT INTO fruit VALUES (1, 'apple'), (2, 'pear'), (3, 'plum')
                """
            )
        }

        private func sql(_ address: String, _ statement: String) async throws -> String {
            try await SQL.run(address, user: "clerk", password: "s3cret", database: "shop", statement)
        }

        private func backup(_ client: RESTClient, _ id: String) async throws -> String {
            let body: JSONValue = ["backup": ["name": "b", "instance": .string(id)]]
            let backup = try #require(
                try await client.must("POST", "/backups", body)["backup"]?["id"]?.stringValue)
            try await client.waitBackup(backup, for: "COMPLETED")
            return backup
        }

        /// Agent and engine have the user's ids and no way back to root's.
        private func owners(_ plane: ControlPlane, _ id: String) async throws {
            let uid = Self.uid ?? getuid()
            for pid in [plane.agent(of: id), plane.engine(of: id)] {
                let pid = try #require(pid)
                let status = try String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8)
                #expect(status.contains("Uid:\t\(uid)\t\(uid)\t\(uid)\t\(uid)\n"))
            }
        }

        private func agentDies(
            _ plane: ControlPlane, _ client: RESTClient, _ id: String, _ address: String
        ) async throws {
            let agent = try #require(plane.agent(of: id))
            let engine = try #require(plane.engine(of: id))
            kill(agent, SIGKILL)
            #expect(try await sql(address, "SELECT COUNT(*) FROM fruit") == "2", "the engine outlives its agent")
            try await eventually(30, "another agent is there") { plane.agent(of: id).map { $0 != agent } ?? false }
            try await eventually(30, "the new agent answers") {
                try await client.call("GET", "/instances/\(id)/databases").status == 200
            }
            #expect(plane.engine(of: id) == engine, "the new agent adopted the engine")
        }

        private func controlPlaneRestarts(_ plane: ControlPlane, _ id: String) async throws {
            let before = (plane.agent(of: id), plane.engine(of: id))
            try await plane.stop()
            try await clean(plane)
            try await plane.start()
            let client = try await RESTClient.login(plane)
            try await eventually(30, "the agent is connected again") {
                try await client.call("GET", "/instances/\(id)/databases").status == 200
            }
            #expect((plane.agent(of: id), plane.engine(of: id)) == before)
        }

        private func clean(_ plane: ControlPlane) async throws {
            let audit = try await plane.trove(["audit"])
            #expect(audit.status == 0, "\(audit.output)\(audit.errors)")
        }
    }
}
