// SPDX-License-Identifier: Apache-2.0

import Foundation
import Model
import Testing

extension EndToEnd {
    /// What goes wrong on the host is named, undone, and over when its cause is.
    @Suite("Trouble on the host", .serialized)
    struct HostTroubleTests {
        @Test("an engine that does not start is an instance in ERROR with the reason", .timeLimit(.minutes(3)))
        func engineDoesNotStart() async throws {
            try await ControlPlane.with(configure: { try CPlugin(name: "stillborn").install(in: $0) }) { plane in
                let client = try await RESTClient.login(plane)
                let made = try await client.must("POST", "/instances", Self.body(of: "stillborn"))
                let id = try #require(made["instance"]?["id"]?.stringValue)
                let shown = try await client.wait(id, for: "ERROR", seconds: 60)
                let message = shown["fault"]?["message"]?.stringValue ?? ""
                #expect(message.contains("the engine did not start: it ended with status 1"), "\(message)")
                let answer = try await client.call("POST", "/instances/\(id)/action", ["restart": [:]])
                #expect(answer.status == 422, "\(answer.status)")
                try await client.delete(id)
                let audit = try await plane.trove(["audit"])
                #expect(audit.status == 0, "\(audit.output)")
            }
        }

        @Test("a port that somebody else listens on is left to them", .timeLimit(.minutes(3)))
        func portTaken() async throws {
            // A range of two addresses that no other suite uses, nor this one on the other shape.
            let pair =
                Shape.current == .embedded
                ? ["127.20.254.8", "127.20.254.9"] : ["127.20.254.12", "127.20.254.13"]
            let range = pair[0] + "/31"
            try await ControlPlane.with(configure: {
                try $0.configure("trove.yaml", "compute:\n  address_range: \(range)\n")
                try CPlugin(name: "stillborn").install(in: $0)
            }) { plane in
                let client = try await RESTClient.login(plane)
                let everywhere = try Listener("0.0.0.0", CPlugin.port)
                let answer = try await client.must("POST", "/instances", Self.body(of: "stillborn"))
                let refused = try #require(answer["instance"]?["id"]?.stringValue)
                let shown = try await client.wait(refused, for: "ERROR", seconds: 90)
                let message = shown["fault"]?["message"]?.stringValue ?? ""
                #expect(message.contains(":\(everywhere.port)") && message.contains(range), "\(message)")
                try await client.delete(refused)

                // One address is taken: the other one is used.
                for taken in pair {
                    let listener = try Listener(taken, 3306)
                    let id = try await client.create(name: "other")
                    let address = try SQL.address(try await client.wait(id, for: "ACTIVE"))
                    #expect(address != taken)
                    try await client.delete(id)
                    _ = listener
                }
                let audit = try await plane.trove(["audit"])
                #expect(audit.status == 0, "\(audit.output)")
            }
        }

        @Test(
            "a full object store fails the backup and nothing else",
            .enabled(if: Build.isRoot, "mounting needs root"), .timeLimit(.minutes(3))
        )
        func objectStoreIsFull() async throws {
            try await ControlPlane.with { plane in
                let client = try await RESTClient.login(plane)
                let id = try await client.create(name: "source")
                try await client.wait(id, for: "ACTIVE")
                let store = plane.home + "/backups"
                let mounted = try await Command.run(
                    ["/usr/bin/mount", "-t", "tmpfs", "-o", "size=64k,mode=0700", "tmpfs", store])
                try #require(mounted.status == 0, "\(mounted.errors)")
                let failed: String
                do {
                    failed = try await backup(client, of: id)
                    try await client.waitBackup(failed, for: "FAILED", seconds: 60)
                    let left =
                        FileManager.default.enumerator(atPath: store)?.allObjects.compactMap { $0 as? String } ?? []
                    #expect(left.filter { $0.contains(failed) } == [], "\(left)")
                } catch {
                    _ = try await Command.run(["/usr/bin/umount", store])
                    throw error
                }
                let unmounted = try await Command.run(["/usr/bin/umount", store])
                #expect(unmounted.status == 0, "\(unmounted.errors)")
                let line = plane.logTail(200).split(separator: "\n").first {
                    $0.contains("No room left") && $0.contains(failed)
                }
                #expect(line != nil, "\(plane.logTail(30))")
                let shown = try await client.must("GET", "/instances/\(id)")["instance"]
                #expect(shown?["status"] == "ACTIVE" && shown?["operating_status"] == "HEALTHY", "\(shown?.text ?? "")")

                let good = try await backup(client, of: id)
                try await client.waitBackup(good, for: "COMPLETED")
                for backup in [failed, good] {
                    try await client.must("DELETE", "/backups/\(backup)")
                    try await client.waitBackup(backup, for: "GONE")
                }
                try await client.delete(id)
                let audit = try await plane.trove(["audit"])
                #expect(audit.status == 0, "\(audit.output)")
            }
        }

        private static func body(of datastore: String) -> JSONValue {
            [
                "instance": [
                    "name": "x", "flavorRef": "1", "volume": ["size": 1], "datastore": ["type": .string(datastore)],
                ]
            ]
        }

        private func backup(_ client: RESTClient, of id: String) async throws -> String {
            let answer = try await client.must("POST", "/backups", ["backup": ["name": "b", "instance": .string(id)]])
            return try #require(answer["backup"]?["id"]?.stringValue)
        }

        @Test("runner and worker die under load; the parent lives and requests go on", .timeLimit(.minutes(3)))
        func processesDie() async throws {
            try await ControlPlane.with { plane in
                let client = try await RESTClient.login(plane)
                let id = try await client.create(name: "steady")
                try await client.wait(id, for: "ACTIVE")
                let parent = try #require(plane.pid)
                for victim in ["plugin-runner", "worker"] {
                    let load = Task { await Self.load(client, id, seconds: 2) }
                    for _ in 0..<2 {
                        let old = try #require(Self.process(victim, of: parent), "no \(victim)")
                        kill(old, SIGKILL)
                        try await eventually(20, "another \(victim)") {
                            Self.process(victim, of: parent).map { $0 != old } ?? false
                        }
                    }
                    let wrong = await load.value
                    #expect(wrong.isEmpty, "\(victim): \(wrong)")
                    try await eventually(20, "requests work after \(victim) died") {
                        (try? await client.call("GET", "/instances/\(id)/databases").status) == 200
                    }
                    #expect(try await client.must("GET", "/instances")["instances"]?.arrayValue?.count == 1)
                    #expect(kill(parent, 0) == 0)
                }
                let other = try await client.create(name: "after")
                try await client.wait(other, for: "ACTIVE")
                try await client.delete(other)
                try await client.delete(id)
                let audit = try await plane.trove(["audit"])
                #expect(audit.status == 0, "\(audit.output)")
            }
        }

        /// Asks until `seconds` have passed; what is neither an answer of the contract nor a broken connection is wrong.
        private static func load(_ client: RESTClient, _ id: String, seconds: Int) async -> [String] {
            let end = ContinuousClock.now + .seconds(seconds)
            return await withTaskGroup(of: [String].self) { group in
                for path in ["/instances", "/instances/\(id)/databases", "/instances/\(id)/users", "/flavors"] {
                    group.addTask {
                        var wrong: [String] = []
                        while ContinuousClock.now < end {
                            guard let answer = try? await client.call("GET", path) else { continue }
                            let isFault = answer.status >= 400 && answer.body?.objectValue?.count == 1
                            if answer.status != 200, !isFault { wrong.append("\(path): \(answer.status)") }
                        }
                        return wrong
                    }
                }
                return await group.reduce(into: []) { $0 += $1 }
            }
        }

        private static func process(_ command: String, of parent: pid_t) -> pid_t? {
            ControlPlane.descendants(of: parent).first { pid in
                guard let data = FileManager.default.contents(atPath: "/proc/\(pid)/cmdline") else { return false }
                let words = data.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
                return words.count > 1 && words[0].hasSuffix("/trove") && words[1] == command
            }
        }
    }
}
