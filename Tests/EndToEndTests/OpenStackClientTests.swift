// SPDX-License-Identifier: Apache-2.0

import Foundation
import Model
import Testing

/// All end-to-end suites run one after the other: they share the host's addresses, loop devices and two cores.
@Suite("End to end", .serialized)
enum EndToEnd {}

extension EndToEnd {
    @Suite("The unmodified openstack client", .serialized)
    struct OpenStackClientTests {
        @Test("does everything that the first release offers", .timeLimit(.minutes(15)))
        func wholeList() async throws {
            try await ControlPlane.with { plane in
                try await catalogue(plane)
                let id = try await instance(plane)
                try await databases(plane)
                try await users(plane)
                try await root(plane)
                let backup = try await backup(plane)
                try await restore(plane, backup: backup)
                try await end(plane, id: id)
            }
        }

        private func catalogue(_ plane: ControlPlane) async throws {
            let datastores = try await plane.openstack("datastore", "list", "-f", "json")
            #expect(datastores[0]?["Name"]?.stringValue ?? datastores[0]?["name"]?.stringValue == "mariadb")
            let flavors = try await plane.openstack("database", "flavor", "list", "-f", "json")
            #expect(flavors.arrayValue?.count == 5)
        }

        private func instance(_ plane: ControlPlane) async throws -> String {
            let made = try await plane.openstack(
                "database", "instance", "create", "first", "--flavor", "1", "--size", "1", "--datastore", "mariadb",
                "--datastore-version", "10.11", "-f", "json"
            )
            #expect(made["status"] == "BUILD")
            try await status(plane, "first", is: "ACTIVE")
            let list = try await plane.openstack("database", "instance", "list", "-f", "json")
            #expect(list.arrayValue?.count == 1)
            try await plane.openstack("database", "instance", "restart", "first")
            try await status(plane, "first", is: "ACTIVE")
            try await plane.openstack("database", "instance", "update", "first", "--name", "renamed")
            let shown = try await plane.openstack("database", "instance", "show", "renamed", "-f", "json")
            #expect(shown["name"] == "renamed")
            return try #require(made["id"]?.stringValue)
        }

        private func databases(_ plane: ControlPlane) async throws {
            try await plane.openstack("database", "db", "create", "renamed", "shop")
            try await plane.openstack("database", "db", "create", "renamed", "spare")
            #expect(try await names(plane, "db", "list", "renamed") == ["shop", "spare"])
            try await plane.openstack("database", "db", "delete", "renamed", "spare")
            #expect(try await names(plane, "db", "list", "renamed") == ["shop"])
        }

        private func users(_ plane: ControlPlane) async throws {
            try await plane.openstack(
                "database", "user", "create", "renamed", "clerk", "s3cret-Clerk", "--databases", "shop"
            )
            try await plane.openstack(
                "database", "user", "create", "renamed", "guest.one", "s3cret-Guest", "--host", "127.0.0.1")
            let list = try await plane.openstack("database", "user", "list", "renamed", "-f", "json")
            let known = list.arrayValue?.compactMap { ($0["Name"] ?? $0["name"])?.stringValue } ?? []
            #expect(Set(known) == ["clerk", "guest.one"])
            try await plane.openstack(
                "database", "user", "grant", "access", "renamed", "guest.one", "shop", "--host", "127.0.0.1")
            let access = try await plane.openstack(
                "database", "user", "show", "access", "renamed", "guest.one", "--host", "127.0.0.1", "-f", "json"
            )
            #expect(access.text.contains("shop"))
            try await plane.openstack(
                "database", "user", "revoke", "access", "renamed", "guest.one", "shop", "--host", "127.0.0.1")
            try await plane.openstack("database", "user", "delete", "renamed", "guest.one", "--host", "127.0.0.1")
            #expect(try await names(plane, "user", "list", "renamed") == ["clerk"])
        }

        private func root(_ plane: ControlPlane) async throws {
            let before = try await plane.openstack("database", "root", "show", "renamed", "-f", "json")
            #expect(before.text.contains("false"))
            let enabled = try await plane.openstack("database", "root", "enable", "renamed", "-f", "json")
            let password = try #require(enabled["password"]?.stringValue)
            let shown = try await plane.openstack("database", "instance", "show", "renamed", "-f", "json")
            let address = try SQL.address(shown)
            #expect(try await SQL.run(address, user: "root", password: password, "SELECT 1") == "1")
            let after = try await plane.openstack("database", "root", "show", "renamed", "-f", "json")
            #expect(after.text.contains("true"))
        }

        private func backup(_ plane: ControlPlane) async throws -> String {
            let shown = try await plane.openstack("database", "instance", "show", "renamed", "-f", "json")
            let address = try SQL.address(shown)
            _ = try await SQL.run(
                address, user: "clerk", password: "s3cret-Clerk", database: "shop",
                "CREATE TABLE t (n INT PRIMARY KEY); INSERT INTO t VALUES (1), (2), (3)"
            )
            let made = try await plane.openstack(
                "database", "backup", "create", "evening", "--instance", "renamed", "-f", "json"
            )
            let id = try #require(made["id"]?.stringValue)
            try await eventually(120, "the backup is complete") {
                let backup = try await plane.openstack("database", "backup", "show", id, "-f", "json")
                if backup["status"] == "FAILED" { throw TestFailure("the backup failed") }
                return backup["status"] == "COMPLETED"
            }
            let list = try await plane.openstack("database", "backup", "list", "-f", "json")
            #expect(list.arrayValue?.count == 1)
            return id
        }

        private func restore(_ plane: ControlPlane, backup: String) async throws {
            try await plane.openstack(
                "database", "instance", "create", "second", "--flavor", "1", "--size", "1", "--datastore", "mariadb",
                "--datastore-version", "10.11", "--backup", backup
            )
            try await status(plane, "second", is: "ACTIVE")
            let shown = try await plane.openstack("database", "instance", "show", "second", "-f", "json")
            let count = try await SQL.run(
                try SQL.address(shown), user: "clerk", password: "s3cret-Clerk", database: "shop",
                "SELECT COUNT(*) FROM t"
            )
            #expect(count == "3")
            try await plane.openstack("database", "backup", "delete", backup)
            try await eventually(60, "the backup is gone") {
                try await plane.openstack("database", "backup", "list", "-f", "json").arrayValue?.isEmpty ?? false
            }
        }

        private func end(_ plane: ControlPlane, id: String) async throws {
            for name in ["renamed", "second"] { try await plane.openstack("database", "instance", "delete", name) }
            try await eventually(60, "the instances are gone") {
                try await plane.openstack("database", "instance", "list", "-f", "json").arrayValue?.isEmpty ?? false
            }
            let audit = try await plane.trove(["audit"])
            #expect(audit.status == 0, "\(audit.output)")
        }

        private func names(_ plane: ControlPlane, _ words: String...) async throws -> [String] {
            let list = try await plane.openstack(["database"] + words + ["-f", "json"])
            return (list.arrayValue ?? []).compactMap { ($0["Name"] ?? $0["name"])?.stringValue }.sorted()
        }

        private func status(_ plane: ControlPlane, _ name: String, is status: String) async throws {
            try await eventually(180, "\(name) is \(status)") {
                let shown = try await plane.openstack("database", "instance", "show", name, "-f", "json")
                if shown["status"] == "ERROR" { throw TestFailure("\(name) is in ERROR: \(shown.text)") }
                return shown["status"]?.stringValue == status
            }
        }
    }
}

/// The engine's own client.
enum SQL {
    /// The instance's address, as `openstack … show` or the API prints it.
    static func address(_ shown: JSONValue) throws -> String {
        let text = shown["addresses"]?.text ?? shown["ip"]?.text ?? shown.text
        guard let match = text.firstMatch(of: #/127\.\d+\.\d+\.\d+/#) else {
            throw TestFailure("no address in \(shown.text)")
        }
        return String(match.output)
    }

    static func run(
        _ address: String, user: String, password: String, database: String = "", _ statement: String
    ) async throws -> String {
        var arguments = ["/usr/bin/mariadb", "--no-defaults", "--protocol=tcp", "-h", address, "-u", user, "-N", "-B"]
        if !database.isEmpty { arguments.append(database) }
        let result = try await Command.run(arguments + ["-e", statement], environment: ["MYSQL_PWD": password])
        guard result.status == 0 else { throw TestFailure("the engine refused: \(result.errors)") }
        return result.output.trimmingCharacters(in: .whitespacesAndNewlines)
    }
}
