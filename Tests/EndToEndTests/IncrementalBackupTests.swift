// SPDX-License-Identifier: Apache-2.0

import Foundation
import Model
import Testing

extension EndToEnd {
    /// Increments, their chains, and backups that are taken over, with a real engine's data.
    @Suite("Incremental backups", .serialized)
    struct IncrementalBackupTests {
        /// An instance with data, and what is done with it.
        private struct Scene {
            let plane: ControlPlane
            let client: RESTClient
            let instance: String
            let address: String

            func write(_ text: String) async throws {
                _ = try await SQL.run(address, user: "clerk", password: "s3cret", database: "shop", text)
            }

            /// The shown backup, when it has ended.
            func back(_ more: [String: JSONValue] = [:], ends state: String = "COMPLETED") async throws -> JSONValue {
                let members: [String: JSONValue] = ["name": "b", "instance": .string(instance)]
                let answer = try await client.must(
                    "POST", "/backups", ["backup": .object(members.merging(more) { $1 })])
                let id = try #require(answer["backup"]?["id"]?.stringValue)
                return try await client.waitBackup(id, for: state)
            }

            /// What a table's sum is in a new instance that is restored from the backup.
            func restored(_ backup: JSONValue) async throws -> String {
                let id = try await client.create(name: "restored", backup: backup["id"]?.stringValue)
                let shown = try await client.wait(id, for: "ACTIVE")
                let sum = try await SQL.run(
                    try SQL.address(shown), user: "clerk", password: "s3cret", database: "shop",
                    IncrementalBackupTests.sum)
                try await client.delete(id)
                return sum
            }

            func sum() async throws -> String {
                try await SQL.run(
                    address, user: "clerk", password: "s3cret", database: "shop", IncrementalBackupTests.sum)
            }

            /// The fault of an instance that cannot be restored; the instance is deleted.
            func fault(restoring backup: JSONValue) async throws -> String {
                let id = try await client.create(name: "broken", backup: backup["id"]?.stringValue)
                let shown = try await client.wait(id, for: "ERROR")
                try await client.delete(id)
                return shown["fault"]?["message"]?.stringValue ?? ""
            }

            /// Path of the backup's object.
            func file(_ backup: JSONValue) throws -> String {
                let location = try #require(backup["locationRef"]?.stringValue)
                return String(location.dropFirst("file://".count))
            }

            func audit() async throws {
                let audit = try await plane.trove(["audit"])
                #expect(audit.status == 0, "\(audit.output)")
            }
        }

        private static let sum = "SELECT COUNT(*), SUM(CRC32(CONCAT(n, v))) FROM t"

        private func withScene(_ body: (Scene) async throws -> Void) async throws {
            try await ControlPlane.with { plane in
                let client = try await RESTClient.login(plane)
                let id = try await client.create(
                    name: "source",
                    extra: [
                        "databases": [["name": "shop"]],
                        "users": [["name": "clerk", "password": "s3cret", "databases": [["name": "shop"]]]],
                    ])
                let address = try SQL.address(try await client.wait(id, for: "ACTIVE"))
                let scene = Scene(plane: plane, client: client, instance: id, address: address)
                try await scene.write(
                    "CREATE TABLE t (n INT PRIMARY KEY, v TEXT); INSERT INTO t SELECT seq, REPEAT('x', 300) FROM seq_1_to_20000"
                )
                try await body(scene)
                try await client.delete(id)
                try await scene.audit()
            }
        }

        @Test("full, change, increment, change, increment: each is restored as it was, and goes with its parent")
        func chain() async throws {
            try await withScene { scene in
                let (client, plane) = (scene.client, scene.plane)
                // There is nothing to add to yet.
                let full = try await scene.back(["incremental": 1])
                #expect(full["parent_id"] == .null)
                var sums = [try await scene.sum()]
                try await scene.write(
                    "INSERT INTO t SELECT seq, 'later' FROM seq_20001_to_20100; DELETE FROM t WHERE n < 10")
                let first = try await scene.back(["incremental": 1])
                sums.append(try await scene.sum())
                try await scene.write(
                    "RENAME TABLE t TO u; CREATE TABLE t LIKE u; INSERT INTO t SELECT n, v FROM u WHERE n > 19000; DROP TABLE u"
                )
                let second = try await scene.back(["parent_id": first["id"] ?? .null])
                sums.append(try await scene.sum())
                #expect(first["parent_id"] == full["id"] && second["parent_id"] == first["id"])
                let sizes = [full, first, second].compactMap { $0["size"]?.doubleValue }
                #expect(sizes.count == 3 && sizes[1] < sizes[0] / 2 && sizes[2] < sizes[0] && sizes[1] > 0, "\(sizes)")
                try await scene.audit()

                #expect(Set(sums).count == 3)
                #expect(try await scene.restored(second) == sums[2])
                #expect(try await scene.restored(first) == sums[1])
                #expect(try await scene.restored(full) == sums[0])

                #expect(try await usage(client) == 3)
                let files = try [full, first, second].map(scene.file)
                #expect(files.allSatisfy(FileManager.default.fileExists(atPath:)))
                try await client.must("DELETE", "/backups/\(full["id"]?.stringValue ?? "")")
                for backup in [second, first, full] {
                    try await client.waitBackup(backup["id"]?.stringValue ?? "", for: "GONE")
                }
                #expect(!files.contains(where: FileManager.default.fileExists(atPath:)))
                #expect(try await usage(client) == 0)
                try await commandLine(scene, try plane.openrc())
            }
        }

        private func usage(_ client: RESTClient) async throws -> Int? {
            let quotas = try await client.must("GET", "/mgmt/quotas/\(client.project)")["quotas"]?.arrayValue ?? []
            return quotas.first { $0["resource"] == "backups" }?["in_use"]?.intValue
        }

        /// The same through `trove`.
        private func commandLine(_ scene: Scene, _ rc: [String: String]) async throws {
            func trove(_ words: [String], status: Int32 = 0) async throws -> CommandResult {
                let result = try await Command.run([Build.trove, "backup"] + words, environment: rc, seconds: 300)
                #expect(result.status == status, "\(words): \(result.errors)")
                return result
            }
            let create = ["create", "--wait", "--json", "--instance", scene.instance]
            let full = try JSONValue(parsing: try await trove(create + ["monday"]).output)
            let first = try JSONValue(parsing: try await trove(create + ["--incremental", "tuesday"]).output)
            let second = try JSONValue(parsing: try await trove(create + ["--parent", "tuesday", "wednesday"]).output)
            #expect(first["parent_id"] == full["id"] && second["parent_id"] == first["id"])
            let version = try #require(full["datastore"]?["version_id"]?.stringValue)
            let location = try #require(full["locationRef"]?.stringValue)
            let adopted = try JSONValue(
                parsing: try await trove([
                    "create", "again", "--restore-from", location, "--restore-datastore-version", version,
                    "--restore-size", "0.25", "--wait", "--json",
                ]).output)
            #expect(
                adopted["status"] == "RESTORED" && adopted["size"] == 0.25
                    && adopted["locationRef"] == full["locationRef"])
            for words in [
                ["create", "x"], ["create", "x", "--restore-from", location],
                create + ["x", "--restore-from", location],
            ] {
                _ = try await trove(words, status: 64)
            }
            _ = try await trove(["delete", "--wait", "again"])
            _ = try await trove(["delete", "--wait", "monday"])
            #expect(try await trove(["list", "--json"]).output.contains("[]"))
        }

        @Test("a chain with a broken link restores nothing and names the link; other data take no increments")
        func brokenChain() async throws {
            try await withScene { scene in
                let client = scene.client
                let full = try await scene.back()
                try await scene.write("INSERT INTO t VALUES (30001, 'a')")
                let first = try await scene.back(["incremental": 1])
                try await scene.write("INSERT INTO t VALUES (30002, 'b')")
                let second = try await scene.back(["incremental": 1])
                let sum = try await scene.sum()
                let link = try #require(first["id"]?.stringValue)

                let path = try scene.file(first)
                let content = try Data(contentsOf: URL(fileURLWithPath: path))
                var damaged = content
                damaged[damaged.count - 100] ^= 1
                try damaged.write(to: URL(fileURLWithPath: path))
                #expect(try await scene.fault(restoring: second).contains(link))
                try FileManager.default.removeItem(atPath: path)
                #expect(try await scene.fault(restoring: second).contains(link))
                try content.write(to: URL(fileURLWithPath: path))
                #expect(try await scene.restored(second) == sum)

                // As data that were made anew: the mark of their history is gone.
                let data = try await SQL.run(
                    scene.address, user: "clerk", password: "s3cret", database: "shop", "SELECT @@datadir")
                try FileManager.default.removeItem(atPath: data + ".trove-history")
                _ = try await scene.back(["parent_id": second["id"] ?? .null], ends: "FAILED")
                let anew = try await scene.back()
                #expect(try await scene.back(["incremental": 1])["parent_id"] == anew["id"])
                for backup in try await client.must("GET", "/backups")["backups"]?.arrayValue ?? [] {
                    // Children go with their parents, so some are gone already.
                    _ = try await client.call("DELETE", "/backups/\(backup["id"]?.stringValue ?? "")")
                }
                for backup in [full, anew] { try await client.waitBackup(backup["id"]?.stringValue ?? "", for: "GONE") }
                try await eventually(60, "all backups are gone") {
                    try await client.must("GET", "/backups")["backups"] == []
                }
            }
        }

        @Test("an object of the project is taken over, restored, and stays when its row is deleted")
        func takenOver() async throws {
            try await withScene { scene in
                let client = scene.client
                let full = try await scene.back()
                try await scene.write("INSERT INTO t VALUES (30001, 'a')")
                let increment = try await scene.back(["incremental": 1])
                let sum = try await scene.sum()
                // Copies under other names, as another control plane's would be: their rows are not here.
                let root = (try scene.file(full) as NSString).deletingLastPathComponent
                for (backup, name) in [(full, "copy-0"), (increment, "copy-1")] {
                    try FileManager.default.copyItem(atPath: try scene.file(backup), toPath: "\(root)/\(name)")
                }
                // The increment goes with it.
                try await client.must("DELETE", "/backups/\(full["id"]?.stringValue ?? "")")
                for backup in [full, increment] {
                    try await client.waitBackup(backup["id"]?.stringValue ?? "", for: "GONE")
                }
                let version = full["datastore"]?["version_id"] ?? .null

                func take(_ location: String, _ more: [String: JSONValue] = [:], as caller: RESTClient? = nil)
                    async throws
                    -> RESTClient.Answer
                {
                    let source: JSONValue = [
                        "remote_location": .string(location), "local_datastore_version_id": version, "size": 0.05,
                    ]
                    let members: [String: JSONValue] = ["name": "again", "restore_from": source]
                    return try await (caller ?? client).call(
                        "POST", "/backups", ["backup": .object(members.merging(more) { $1 })])
                }
                let answer = try await take("file://\(root)/copy-0")
                let taken = try #require(answer.body?["backup"])
                #expect(answer.status == 202 && taken["status"] == "RESTORED" && taken["instance_id"] == .null)
                #expect(taken["size"] == 0.05 && taken["locationRef"] == .string("file://\(root)/copy-0"))
                let added = try await take("file://\(root)/copy-1", ["parent_id": taken["id"] ?? .null]).body?["backup"]
                #expect(added?["parent_id"] == taken["id"])
                #expect(try await scene.restored(try #require(added)) == sum)
                // An increment alone is not taken for a whole backup.
                let alone = try #require(try await take("file://\(root)/copy-1").body?["backup"])
                let fault = try await scene.fault(restoring: alone)
                #expect(fault.contains("only what changed"), "\(fault)")

                try Data("not a backup".utf8).write(to: URL(fileURLWithPath: root + "/junk"))
                let other = try await OperatorTests.stranger(scene.plane)
                let refusals: [(String, RESTClient, String)] = [
                    ("file:///nothing", client, "it does not lie in this service's object store"),
                    ("file://\(root)/nothing", client, "the project has no such object"),
                    ("file://\(root)/copy-0", other, "the project has no such object"),
                    ("file://\(root)/../x", client, "it does not lie in this service's object store"),
                    ("file://\(root)/junk", client, "it is not a backup that was sealed for this project"),
                ]
                for (location, caller, reason) in refusals {
                    let refused = try await take(location, as: caller)
                    #expect(
                        refused.status == 400
                            && refused.body?["badRequest"]?["message"]
                                == .string("Failed to restore backup from \(location): \(reason)."),
                        "\(location): \(refused.status) \(String(decoding: refused.bytes, as: UTF8.self))")
                }
                try FileManager.default.removeItem(atPath: root + "/junk")
                try await scene.audit()

                for backup in [alone, taken] {
                    let id = backup["id"]?.stringValue ?? ""
                    try await client.must("DELETE", "/backups/\(id)")
                    try await client.waitBackup(id, for: "GONE")
                }
                try await client.waitBackup(added?["id"]?.stringValue ?? "", for: "GONE")
                for name in ["copy-0", "copy-1"] {
                    #expect(FileManager.default.fileExists(atPath: "\(root)/\(name)"))
                    try FileManager.default.removeItem(atPath: "\(root)/\(name)")
                }
            }
        }
    }
}
