// SPDX-License-Identifier: Apache-2.0

import Foundation
import Model
import Testing

extension EndToEnd {
    /// The control plane is ended as kill -9 does at every point of every flow; the operation must finish all the same.
    @Suite("Recovery from kill -9", .serialized)
    struct RecoveryTests {
        @Test("every point of every flow is survived", .timeLimit(.minutes(20)))
        func everyPoint() async throws {
            try await ControlPlane.with { plane in
                let points = try await Command.run([Build.trove, "flows"]).output.split(separator: "\n").map(String.init)
                #expect(points.count >= 3 * 5)
                let source = try await prepared(plane)
                try await plane.stop()
                for point in points {
                    do {
                        try await survive(point, plane, source: source)
                    } catch {
                        throw TestFailure("at \(point): \(error)")
                    }
                }
                try await plane.start()
                let client = try await RESTClient.login(plane)
                try await client.must("DELETE", "/backups/\(source.backup)")
                try await client.waitBackup(source.backup, for: "GONE")
                try await client.delete(source.instance)
                let audit = try await plane.trove(["audit"])
                #expect(audit.status == 0, "\(audit.output)")
            }
        }

        private struct Source {
            var instance: String
            var backup: String
        }

        /// An instance with a row, and a backup of it.
        private func prepared(_ plane: ControlPlane) async throws -> Source {
            let client = try await RESTClient.login(plane)
            let id = try await client.create(
                name: "source",
                extra: [
                    "databases": [["name": "shop"]],
                    "users": [["name": "clerk", "password": "s3cret", "databases": [["name": "shop"]]]],
                ]
            )
            let address = try SQL.address(try await client.wait(id, for: "ACTIVE"))
            _ = try await SQL.run(
                address, user: "clerk", password: "s3cret", database: "shop",
                "CREATE TABLE t (n INT); INSERT INTO t VALUES (7)"
            )
            return Source(instance: id, backup: try await backup(client, of: id))
        }

        private func backup(_ client: RESTClient, of id: String) async throws -> String {
            let backup = try await request(client, backupOf: id)
            try await client.waitBackup(backup, for: "COMPLETED")
            return backup
        }

        private func request(_ client: RESTClient, backupOf id: String) async throws -> String {
            let answer = try await client.must("POST", "/backups", ["backup": ["name": "b", "instance": .string(id)]])
            return try #require(answer["backup"]?["id"]?.stringValue)
        }

        /// Does the flow's operation with a control plane that dies at `point`, then with one that does not.
        private func survive(_ point: String, _ plane: ControlPlane, source: Source) async throws {
            let flow = point.split(separator: "/")[0]
            // What a delete needs is made before the drill begins.
            var subject = ""
            if flow == "delete_instance" || flow == "delete_backup" {
                try await plane.start()
                let client = try await RESTClient.login(plane)
                if flow == "delete_instance" {
                    subject = try await client.create(name: "victim")
                    try await client.wait(subject, for: "ACTIVE")
                } else {
                    subject = try await backup(client, of: source.instance)
                }
                try await plane.stop()
            }
            try await plane.start(arguments: ["--crash-at", point])
            let client = try await RESTClient.login(plane)
            // A restore takes the same flow as a create, so it is drilled at the same points.
            var restored = ""
            switch flow {
            case "create_instance":
                subject = try await client.create(name: "drill")
                restored = try await client.create(name: "drill-restore", backup: source.backup)
            case "delete_instance": try await client.must("DELETE", "/instances/\(subject)")
            case "restart_instance":
                subject = source.instance
                try await client.must("POST", "/instances/\(subject)/action", ["restart": [:]])
            case "create_backup": subject = try await request(client, backupOf: source.instance)
            case "delete_backup": try await client.must("DELETE", "/backups/\(subject)")
            default: throw TestFailure("no drill for the flow \(flow)")
            }
            try await plane.waitForEnd(seconds: 60)

            try await plane.start()
            let after = try await RESTClient.login(plane)
            switch flow {
            case "create_instance":
                try await after.wait(subject, for: "ACTIVE")
                let shown = try await after.wait(restored, for: "ACTIVE")
                let rows = try await SQL.run(
                    try SQL.address(shown), user: "clerk", password: "s3cret", database: "shop", "SELECT n FROM t"
                )
                #expect(rows == "7", "\(point)")
                try await after.delete(subject)
                try await after.delete(restored)
            case "delete_instance": try await after.wait(subject, for: "GONE")
            case "restart_instance": try await after.wait(subject, for: "ACTIVE")
            case "create_backup":
                try await after.waitBackup(subject, for: "COMPLETED")
                try await after.must("DELETE", "/backups/\(subject)")
                try await after.waitBackup(subject, for: "GONE")
            default: try await after.waitBackup(subject, for: "GONE")
            }
            let audit = try await plane.trove(["audit"])
            #expect(audit.status == 0, "\(point): \(audit.output)")
            try await plane.stop()
        }

        @Test("the database outlives its agent and its control plane, and both are back", .timeLimit(.minutes(5)))
        func agentDies() async throws {
            try await ControlPlane.with { plane in
                let client = try await RESTClient.login(plane)
                let id = try await client.create(
                    name: "steady",
                    extra: [
                        "databases": [["name": "shop"]],
                        "users": [["name": "clerk", "password": "s3cret", "databases": [["name": "shop"]]]],
                    ]
                )
                let address = try SQL.address(try await client.wait(id, for: "ACTIVE"))
                let engine = try await SQL.run(
                    address, user: "clerk", password: "s3cret", "SELECT @@pid_file, @@server_id")
                let started = try await uptime(address)
                let agent = try #require(Self.agent(of: id, in: plane))
                kill(agent, SIGKILL)
                #expect(try await uptime(address) >= started)
                try await eventually(30, "another agent is there") {
                    Self.agent(of: id, in: plane).map { $0 != agent } ?? false
                }
                try await eventually(30, "the new agent answers") {
                    try await client.call("GET", "/instances/\(id)/databases").status == 200
                }
                #expect(try await uptime(address) >= started, "the engine was not restarted")

                try await plane.kill9()
                #expect(try await uptime(address) >= started)
                try await plane.start()
                let again = try await RESTClient.login(plane)
                try await eventually(30, "the agent is connected again") {
                    try await again.call("GET", "/instances/\(id)/databases").status == 200
                }
                #expect(
                    try await SQL.run(address, user: "clerk", password: "s3cret", "SELECT @@pid_file, @@server_id")
                        == engine)

                try await plane.stop()
                #expect(try await uptime(address) >= started, "a clean stop leaves databases running")
                try await plane.start()
                try await RESTClient.login(plane).delete(id)
            }
        }

        private func uptime(_ address: String) async throws -> Int {
            let text = try await SQL.run(
                address, user: "clerk", password: "s3cret",
                "SELECT VARIABLE_VALUE FROM information_schema.GLOBAL_STATUS WHERE VARIABLE_NAME = 'UPTIME'"
            )
            return Int(text) ?? -1
        }

        private static func agent(of id: String, in plane: ControlPlane) -> pid_t? {
            let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
            for pid in names.compactMap({ pid_t($0) }) {
                guard let data = FileManager.default.contents(atPath: "/proc/\(pid)/cmdline") else { continue }
                let words = data.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
                if words.first?.hasSuffix("/trove-guest") == true,
                    words.contains(where: { $0.contains(id) && $0.hasPrefix(plane.home) })
                {
                    return pid
                }
            }
            return nil
        }
    }
}
