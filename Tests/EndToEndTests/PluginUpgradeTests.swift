// SPDX-License-Identifier: Apache-2.0

import Foundation
import Model
import Testing

extension EndToEnd {
    /// Versions of a real engine's plugin that change under a control plane that serves.
    @Suite("A plugin's upgrade with a real engine", .serialized)
    struct PluginUpgradeTests {
        private static let id = MemcachedPackage.id
        /// All instances on one page.
        private static let environment = ["TROVE_API_INSTANCES_PAGE_SIZE": "100"]

        @Test(
            "under 50 creates fails no call; a bad version is rolled back; instances migrate while their engines run",
            .timeLimit(.minutes(5)))
        func upgrade() async throws {
            try await ControlPlane.with(
                environment: Self.environment, configure: { try MemcachedPackage.enable(in: $0) }
            ) {
                plane in
                let first = try MemcachedPackage(version: "1.0.0").write(in: plane)
                let second = try MemcachedPackage(version: "2.0.0").write(in: plane)
                let bad = try MemcachedPackage(version: "3.0.0", macros: ["BAD_PREPARE"]).write(in: plane)
                try await plane.plugin("install", first, says: "\(Self.id)@1.0.0 is active and in use")
                let caches = Memcaches(try await RESTClient.login(plane))
                let standing = try await caches.create("standing")
                try await caches.active([standing])

                let load = Task { try await Self.load(caches, acting: standing) }
                try await eventually(60, "some instances are there") { try await caches.list().count >= 8 }
                try await plane.plugin("install", second, says: "\(Self.id)@2.0.0 is active and in use")
                let ids = try await load.value + [standing]
                try await caches.active(ids)
                let (statuses, failures) = (await caches.statuses, await caches.failures)
                #expect(failures.isEmpty && statuses.keys.allSatisfy { $0 < 300 }, "\(statuses) \(failures)")
                let old = try await Self.users("1.0.0", plane)
                let new = try await Self.users("2.0.0", plane)
                #expect(old.contains(standing) && !old.isEmpty && !new.isEmpty)
                #expect(Set(old).union(new) == Set(ids) && Set(old).isDisjoint(with: new))
                #expect(try await caches.release(standing) == "1.0.0")
                #expect(try await caches.release(try #require(new.first)) == "2.0.0")

                try await rollBack(bad, caches, plane)
                try await migrate(old, caches, plane)
                let all = Array(try await caches.list().keys)
                try await caches.delete(all)
                let audit = try await plane.trove(["audit"])
                #expect(audit.status == 0, "\(audit.output)")
            }
        }

        /// A version whose guest half cannot prepare; one command makes creates work again.
        private func rollBack(_ bad: String, _ caches: Memcaches, _ plane: ControlPlane) async throws {
            let client = try await RESTClient.login(plane)
            let before = try await caches.list()
            try await plane.plugin("install", bad, says: "\(Self.id)@3.0.0 is active and in use")
            let failing = try await caches.create("failing")
            let shown = try await client.wait(failing, for: "ERROR")
            #expect(shown["fault"]?["message"]?.stringValue?.contains("this release cannot prepare") == true)
            try await plane.plugin("rollback", Self.id, says: "\(Self.id)@2.0.0 is active and in use")
            let after = try await caches.create("after")
            try await caches.active([after])
            #expect(try await caches.release(after) == "2.0.0")
            let now = try await caches.list()
            #expect(before.allSatisfy { now[$0.key] == "ACTIVE" })
            try await plane.plugin("remove", Self.id + "@3.0.0", fails: failing)
            try await client.delete(failing)
            try await plane.plugin("remove", Self.id + "@3.0.0", says: "is removed")
        }

        private func migrate(_ old: [String], _ caches: Memcaches, _ plane: ControlPlane) async throws {
            try await plane.plugin("remove", Self.id + "@1.0.0", fails: "is used by")
            let engines = try await caches.engines(old)
            let agents = Set(old.compactMap { plane.agent(of: $0) })
            #expect(engines.count == old.count && agents.count == old.count)
            let watch = Task { () -> Set<String> in
                var seen: Set<String> = []
                while !Task.isCancelled {
                    do {
                        let list = try await caches.list()
                        seen.formUnion(old.map { list[$0] ?? "missing" })
                    } catch _ where Task.isCancelled {
                        break
                    }
                    try? await Task.sleep(for: .milliseconds(100))
                }
                return seen
            }
            let migrated = try await plane.trove(["datastore", "migrate", Self.id])
            watch.cancel()
            #expect(migrated.status == 0, "\(migrated.output)\(migrated.errors)")
            #expect(migrated.output.contains("\(old.count) of \(old.count) instances use \(Self.id)@2.0.0"))
            #expect(try await watch.value == ["ACTIVE"])
            #expect(try await caches.engines(old) == engines)
            #expect(agents.isDisjoint(with: old.compactMap { plane.agent(of: $0) }))
            for id in old { #expect(try await caches.release(id) == "2.0.0") }
            try await plane.plugin("remove", Self.id + "@1.0.0", says: "is removed")
        }

        @Test("migrate goes back when the new agent is blind; traps in guests quarantine", .timeLimit(.minutes(4)))
        func undoAndQuarantine() async throws {
            try await ControlPlane.with(
                environment: Self.environment, configure: { try MemcachedPackage.enable(in: $0) }
            ) {
                plane in
                let good = try MemcachedPackage(version: "1.0.0").write(in: plane)
                let blind = try MemcachedPackage(version: "2.0.0", macros: ["BLIND"]).write(in: plane)
                try await plane.plugin("install", good, says: "in use")
                let caches = Memcaches(try await RESTClient.login(plane))
                var ids: [String] = []
                for name in ["one", "two", "three"] { ids.append(try await caches.create(name)) }
                try await caches.active(ids)
                let engines = try await caches.engines(ids)
                #expect(engines.count == 3)

                try await plane.plugin("install", blind, says: "in use")
                let moved = try await plane.trove(["datastore", "migrate", Self.id, "--instance", ids[0]])
                #expect(moved.status == 1 && moved.output.contains("keeps its version"), "\(moved.output)")
                #expect(moved.output.contains("this release is blind"), "\(moved.output)")
                try await caches.active(ids)
                try await eventually(30, "the old release answers") { try await caches.release(ids[0]) == "1.0.0" }
                #expect(try await caches.engines(ids) == engines)
                try await plane.plugin("rollback", Self.id, says: "1.0.0 is active and in use")

                // Who is called answers no more; nobody waits for it here.
                let falls = ids.map { id in
                    Task { _ = try? await caches.call("POST", "/instances/\(id)/action", ["fall": [:]]) }
                }
                defer { for fall in falls { fall.cancel() } }
                try await eventually(60, "the version is quarantined") {
                    try await plane.trove(["plugin", "list"]).output.contains("quarantined")
                }
                let refused = try await caches.call("POST", "/instances", MemcachedPackage.body("four"))
                let words = String(decoding: refused.bytes, as: UTF8.self)
                #expect(refused.status == 503 && words.contains("in guest agents"), "\(words)")
                try await eventually(60, "the instances go on") {
                    let list = try await caches.list()
                    return ids.allSatisfy { list[$0] == "ACTIVE" }
                }
                #expect(try await caches.engines(ids) == engines)
                try await plane.plugin("lift", Self.id, says: "is called again")
                let after = try await caches.create("after")
                try await caches.active([after])
                try await caches.delete(ids + [after])
                let audit = try await plane.trove(["audit"])
                #expect(audit.status == 0, "\(audit.output)")
            }
        }

        /// Creates 50, eight at a time, while others list and act; who fails ends it.
        private static func load(_ caches: Memcaches, acting: String) async throws -> [String] {
            let others = Task {
                while !Task.isCancelled {
                    do {
                        _ = try await caches.list()
                        guard try await caches.release(acting) == "1.0.0" else { throw TestFailure("another release") }
                    } catch _ where Task.isCancelled {
                        break
                    }
                    try? await Task.sleep(for: .milliseconds(30))
                }
            }
            let ids = try await withThrowingTaskGroup(of: [String].self) { group in
                for worker in 0..<8 {
                    group.addTask {
                        var ids: [String] = []
                        for number in stride(from: worker, to: 49, by: 8) {
                            ids.append(try await caches.create("cache-\(number)"))
                            try await caches.active([ids[ids.count - 1]])
                        }
                        return ids
                    }
                }
                return try await group.reduce(into: []) { $0 += $1 }
            }
            others.cancel()
            try await others.value
            return ids
        }

        private static func users(_ version: String, _ plane: ControlPlane) async throws -> [String] {
            let shown = try await plane.trove(["plugin", "show", "\(id)@\(version)"])
            let document = try JSONValue(parsing: shown.output)
            return (document["versions"]?.arrayValue?.first?["used_by"]?["instances"]?.arrayValue ?? [])
                .compactMap(\.stringValue)
        }
    }
}
