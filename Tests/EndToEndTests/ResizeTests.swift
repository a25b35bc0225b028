// SPDX-License-Identifier: Apache-2.0

import Foundation
import Model
import Testing

extension EndToEnd {
    /// Larger volumes, other flavors, other versions and new servers of real engines, with a tenant's data in them.
    @Suite("Resize, upgrade, rebuild", .serialized)
    struct ResizeTests {
        private static let login = Login(user: "clerk", password: "s3cret-Clerk")

        /// An engine, a version that it may go to, one that it may not, and how much memory its configuration gives it.
        private struct Subject: Sendable, CustomTestStringConvertible {
            var engine: EngineUnderTest
            var next: String
            var distant: String
            /// Nil for one whose configuration leaves memory to the server's limits.
            var memory: (@Sendable (_ address: String) async throws -> String)?

            var testDescription: String { engine.datastore }
            var client: any EngineClient {
                get throws { try #require(engine.client) }
            }
            var database: String { engine.ownDatabases.isEmpty ? "shop" : "" }
        }

        private static let subjects = [
            Subject(engine: .mariadb, next: "10.11.99", distant: "11.4") { address in
                try await SQL.run(
                    address, user: login.user, password: login.password, "SELECT @@innodb_buffer_pool_size")
            },
            Subject(engine: .postgresql, next: "15.99", distant: "16") { address in
                try await command(
                    [
                        "/usr/bin/psql", "-X", "-w", "-A", "-t", "-h", address, "-U", login.user, "-d", "shop", "-c",
                        "SHOW shared_buffers",
                    ], ["PGPASSWORD": login.password])
            },
            Subject(engine: .redis, next: "7.0.99", distant: "6.2", memory: nil),
        ]

        @Test(
            "an instance grows, changes and is rebuilt, and its data stay", .timeLimit(.minutes(10)),
            arguments: subjects)
        private func life(_ subject: Subject) async throws {
            try await ControlPlane.with(configure: { try subject.engine.enable(in: $0) }) { plane in
                let client = try await RESTClient.login(plane)
                let admin = try await RESTClient.login(plane, asAdministrator: true)
                let id = try await create(subject, client)
                let address = try SQL.address(try await client.wait(id, for: "ACTIVE"))
                let engine = try subject.client
                try await engine.write(Self.login, database: subject.database, at: address)
                let content = try await engine.content(Self.login, database: subject.database, at: address)
                func unharmed() async throws {
                    #expect(try await engine.content(Self.login, database: subject.database, at: address) == content)
                }

                try await volume(id, client, admin)
                try await unharmed()
                try await flavor(id, address, subject, client, admin)
                try await unharmed()
                try await upgrade(id, subject, client, admin)
                try await unharmed()
                try await rebuild(id, client, admin)
                try await unharmed()
                try await client.delete(id)
            }
        }

        private func create(_ subject: Subject, _ client: RESTClient) async throws -> String {
            let databases: JSONValue = subject.database.isEmpty ? [] : [["name": .string(subject.database)]]
            let user: JSONValue = [
                "name": .string(Self.login.user), "password": .string(Self.login.password), "databases": databases,
            ]
            var instance: [String: JSONValue] = [
                "name": "growing", "flavorRef": "1", "volume": ["size": 1], "users": [user],
                "datastore": ["type": .string(subject.engine.datastore), "version": .string(subject.engine.version)],
            ]
            if !subject.database.isEmpty { instance["databases"] = databases }
            let answer = try await client.must("POST", "/instances", ["instance": .object(instance)])
            return try #require(answer["instance"]?["id"]?.stringValue)
        }

        private func volume(_ id: String, _ client: RESTClient, _ admin: RESTClient) async throws {
            let before = Self.capacity(id)
            for (size, status) in [(1, 400), (1000, 413)] {
                let refused = try await act(id, ["resize": ["volume": ["size": .int(Int64(size))]]], client)
                #expect(refused == status)
            }
            try await admin.must("PUT", "/mgmt/quotas/\(client.project)", ["quotas": ["volumes": 2]])
            #expect(try await act(id, ["resize": ["volume": ["size": 3]]], client) == 413)
            try await admin.must("PUT", "/mgmt/quotas/\(client.project)", ["quotas": ["volumes": 10]])
            #expect(try await act(id, ["resize": ["volume": ["size": 3]]], client) == 202)
            let shown = try await client.wait(id, for: "ACTIVE")
            #expect(shown["volume"]?["size"] == 3)
            #expect(shown["fault"] == nil)
            if let before, let after = Self.capacity(id) {
                #expect(before < 1 << 30 && after > 2 << 30, "\(before) to \(after)")
            }
        }

        private func flavor(
            _ id: String, _ address: String, _ subject: Subject, _ client: RESTClient, _ admin: RESTClient
        ) async throws {
            for (flavor, status) in [("1", 400), ("none", 400)] {
                #expect(try await act(id, ["resize": ["flavorRef": .string(flavor)]], client) == status)
            }
            let before = try await subject.memory?(address)
            #expect(try await act(id, ["resize": ["flavorRef": "2"]], client) == 202)
            let shown = try await client.wait(id, for: "ACTIVE")
            #expect(shown["flavor"]?["id"] == "2")
            #expect(shown["fault"] == nil)
            let after = try await subject.memory?(address)
            #expect(subject.memory == nil || before != after, "\(before ?? "") to \(after ?? "")")
            let hardware = try await admin.must("GET", "/mgmt/instances/\(id)/hwinfo")["hwinfo"]
            #expect(hardware?["mem_total"] == .int(1 << 20))
            #expect(try await act(id, ["resize": ["flavorRef": "1"]], client) == 202)
            try await client.wait(id, for: "ACTIVE")
            #expect(try await subject.memory?(address) == before)
        }

        private func upgrade(_ id: String, _ subject: Subject, _ client: RESTClient, _ admin: RESTClient) async throws {
            for name in [subject.next, subject.distant] {
                try await admin.must(
                    "POST", "/mgmt/datastore-versions",
                    [
                        "version": [
                            "name": .string(name), "datastore_name": .string(subject.engine.datastore),
                            "datastore_manager": .string(subject.engine.datastore), "active": true,
                            "image_tags": ["none"],
                        ]
                    ])
            }
            func put(_ version: String) async throws -> Int {
                let body: JSONValue = ["instance": ["datastore_version": .string(version)]]
                return try await client.call("PUT", "/instances/\(id)", body).status
            }
            #expect(try await put("none") == 400)
            let refused = try await put(subject.distant)
            #expect(refused == 422 || refused == 400, "\(refused)")
            for version in [subject.next, subject.next] {
                #expect(try await put(version) == 202)
                let shown = try await client.wait(id, for: "ACTIVE")
                #expect(shown["datastore"]?["version"] == .string(version))
                #expect(shown["fault"] == nil)
                #expect(shown["operating_status"] == "HEALTHY" || shown["operating_status"] == "ACTIVE")
            }
        }

        private func rebuild(_ id: String, _ client: RESTClient, _ admin: RESTClient) async throws {
            let path = "/mgmt/instances/\(id)/action"
            #expect(try await admin.call("POST", path, ["migrate": ["host": "nowhere"]]).status == 400)
            #expect(try await admin.call("POST", path, ["migrate": [:]]).status == 501)
            let strange: JSONValue = ["rebuild": ["image_id": "e0000000-0000-4000-8000-000000000009"]]
            #expect(try await admin.call("POST", path, strange).status == 400)
            let version = try #require(
                try await client.must("GET", "/instances/\(id)")["instance"]?["datastore"]?["version"]?.stringValue)
            let versions = try await admin.must("GET", "/mgmt/datastore-versions")["versions"]?.arrayValue ?? []
            let own = try #require(versions.first { $0["name"] == .string(version) }?["id"])
            try await admin.must("POST", path, ["rebuild": ["image_id": own]])
            #expect(try await client.must("GET", "/instances/\(id)")["instance"]?["status"] == "BUILD")
            let shown = try await client.wait(id, for: "ACTIVE")
            #expect(shown["fault"] == nil)
        }

        // MARK: Helpers

        private func act(_ id: String, _ body: JSONValue, _ client: RESTClient) async throws -> Int {
            try await client.call("POST", "/instances/\(id)/action", body).status
        }

        /// Bytes of the instance's file system, as the engine's processes see it; nil where it is a plain directory.
        private static func capacity(_ id: String) -> Int? {
            let mounts = (try? String(contentsOfFile: "/proc/self/mounts", encoding: .utf8)) ?? ""
            let points = mounts.split(separator: "\n").compactMap { $0.split(separator: " ").dropFirst().first }
            guard let point = points.first(where: { $0.hasSuffix("/\(id)/data") }) else { return nil }
            var info = statvfs()
            guard statvfs(String(point), &info) == 0 else { return nil }
            return Int(info.f_blocks) * Int(info.f_frsize)
        }

        private static func command(_ words: [String], _ environment: [String: String]) async throws -> String {
            let result = try await Command.run(words, environment: environment)
            guard result.status == 0 else { throw TestFailure("the engine refused: \(result.errors)") }
            return result.output.trimmingCharacters(in: .whitespacesAndNewlines)
        }
    }
}
