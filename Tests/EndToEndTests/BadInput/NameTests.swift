// SPDX-License-Identifier: Apache-2.0

import Foundation
import Model
import Testing

extension EndToEnd {
    /// A name works from end to end, or is refused before anything is made.
    @Suite("Names of databases and users", .serialized)
    struct NameTests {
        @Test(
            "work whatever they are, or are refused with a sentence, and nothing is half done", .timeLimit(.minutes(5)))
        func names() async throws {
            try await ControlPlane.with { plane in
                let client = try await RESTClient.login(plane)
                let id = try await client.create(name: "names")
                let address = try SQL.address(try await client.wait(id, for: "ACTIVE"))
                let tenant = Tenant(client: client, instance: "/instances/\(id)", address: address)
                for name in Self.good { try await tenant.useDatabase(name) }
                for name in Self.good { try await tenant.useUser(name) }
                try await tenant.refuseDatabases(Self.badDatabases)
                try await tenant.refuseUsers(Self.badUsers)
                try await tenant.duplicates()
                try await tenant.allOrNone()
                try await client.delete(id)
                let audit = try await plane.trove(["audit"])
                #expect(audit.status == 0, "\(audit.output)")
            }
        }

        private static let good = [
            "a'b", "a\"b", "a`b", "a$b", "a%b", "a_b", "a.b", ".a", "a.", "a.json", "a@b", "a@", "@a", "a\u{e9}b",
            "\u{65e5}\u{672c}1", "a b", " a", "a/b", "a\\b", "a%2Fb", "a;DROP DATABASE x", "A", "a", "e\u{301}1",
            "\u{e9}1", "lost+found", "#sql-a", String(repeating: "n", count: 64),
        ]
        private static let badDatabases = [
            "a\u{1F600}b", "a ", "a\u{0}b", "a\tb", "a\nb", "a\u{7F}b", String(repeating: "n", count: 65), "mysql",
            "MySQL",
            "information_schema", "Performance_Schema", "sys", "#mysql50#a", "", "..", "---",
            String(repeating: "n", count: 256),
        ]
        private static let badUsers = [
            "a\u{1F600}b", "a ", "a\u{0}b", "a\tb", "a\nb", "a\u{7F}b", String(repeating: "n", count: 81), "root",
            "os_admin",
            "mysql", "mariadb.sys", "PUBLIC", "", "@%",
        ]
    }
}

/// What a tenant does with names, in one instance.
private struct Tenant {
    let client: RESTClient
    let instance: String
    let address: String
    private let password = "p'w\"\\1"

    init(client: RESTClient, instance: String, address: String) {
        (self.client, self.instance, self.address) = (client, instance, address)
    }

    /// Percent-encodes everything that a path segment need not hold as it is; dots too, as the clients do.
    private func segment(_ text: String) -> String {
        text.addingPercentEncoding(withAllowedCharacters: .alphanumerics.intersection(.init(charactersIn: "!"..."~")))
            ?? text
    }

    private func databases() async throws -> [String] {
        let body = try await client.must("GET", instance + "/databases")
        return (body["databases"]?.arrayValue ?? []).compactMap { $0["name"]?.stringValue }
    }

    private func users() async throws -> [String] {
        let body = try await client.must("GET", instance + "/users")
        return (body["users"]?.arrayValue ?? []).map {
            "\($0["name"]?.stringValue ?? "")@\($0["host"]?.stringValue ?? "")"
        }
    }

    private func sql(_ user: String, _ password: String, _ database: String, _ statement: String) async throws -> String
    {
        let words = [
            "/usr/bin/mariadb", "--no-defaults", "--default-character-set=utf8mb4", "-h", address, "--user=\(user)",
            "-N",
            "-B", "-r", "--database=\(database)", "-e", statement,
        ]
        let result = try await Command.run(words, environment: ["MYSQL_PWD": password])
        guard result.status == 0 else { throw TestFailure("'\(user)' in '\(database)': \(result.errors)") }
        return result.output.trimmingCharacters(in: .newlines)
    }

    /// Compares as bytes: two texts that look alike are two names.
    private func isSame(_ left: [String], _ right: [String]) -> Bool {
        left.map { Array($0.utf8) } == right.map { Array($0.utf8) }
    }

    func useDatabase(_ name: String) async throws {
        try await client.must("POST", instance + "/databases", ["databases": [["name": .string(name)]]])
        #expect(isSame(try await databases(), [name]), "\(name)")
        let access: JSONValue = [["name": .string(name)]]
        try await client.must(
            "POST", instance + "/users", ["users": [["name": "u1", "password": .string(password)]]])
        let path = instance + "/users/u1/databases"
        try await client.must("PUT", path, ["databases": access])
        #expect(try await client.must("GET", path)["databases"] == access, "\(name)")
        let seen = try await sql("u1", password, name, "CREATE TABLE t (n INT); SELECT DATABASE()")
        #expect(isSame([seen], [name]), "\(name)")
        try await client.must("DELETE", path + "/" + segment(name))
        #expect(try await client.must("GET", path)["databases"] == [], "\(name)")
        try await client.must("DELETE", instance + "/users/u1")
        try await client.must("DELETE", instance + "/databases/" + segment(name))
        #expect(try await databases() == [], "\(name)")
    }

    func useUser(_ name: String) async throws {
        let user: JSONValue = ["name": .string(name), "password": .string(password)]
        try await client.must("POST", instance + "/users", ["users": [user]])
        #expect(isSame(try await users(), [name + "@%"]), "\(name)")
        let path = instance + "/users/" + segment(name + "@%")
        #expect(try await client.must("GET", path)["user"]?["name"]?.stringValue == name)
        let seen = try await sql(name, password, "", "SELECT USER()")
        #expect(isSame([seen], [name + "@127.0.0.1"]), "\(name)")
        try await client.must("PUT", path, ["user": ["password": "changed1"]])
        _ = try await sql(name, "changed1", "", "SELECT 1")
        try await client.must("DELETE", path)
        #expect(try await users() == [], "\(name)")
    }

    private func refused(_ path: String, _ body: JSONValue, _ what: String) async throws {
        let answer = try await client.call("POST", instance + path, body)
        let message = answer.body?["badRequest"]?["message"]?.stringValue ?? ""
        #expect(answer.status == 400 && message.count > 20, "\(what.debugDescription): \(answer.body?.text ?? "")")
        #expect(!message.contains("communicating with the guest"), "\(what.debugDescription): \(message)")
    }

    func refuseDatabases(_ names: [String]) async throws {
        try await client.must("POST", instance + "/databases", ["databases": [["name": "before"]]])
        for name in names {
            try await refused("/databases", ["databases": [["name": "other"], ["name": .string(name)]]], name)
            #expect(try await databases() == ["before"], "\(name)")
            let answer = try await client.call("DELETE", instance + "/databases/" + segment(name))
            #expect([400, 404].contains(answer.status), "\(name.debugDescription): \(answer.status)")
        }
        try await client.must("DELETE", instance + "/databases/before")
    }

    func refuseUsers(_ names: [String]) async throws {
        let other: JSONValue = ["name": "other", "password": "x1"]
        for name in names {
            let user: JSONValue = ["name": .string(name), "password": "x1"]
            try await refused("/users", ["users": [other, user]], name)
            #expect(try await users() == [], "\(name)")
            let answer = try await client.call("GET", instance + "/users/" + segment(name))
            #expect([400, 404].contains(answer.status), "\(name.debugDescription): \(answer.status)")
        }
        for host in ["not a host", "a'b", "", "\u{e9}x", String(repeating: "h", count: 256)] {
            let user: JSONValue = ["name": "u1", "password": "x1", "host": .string(host)]
            try await refused("/users", ["users": [other, user]], host)
        }
        for password in ["", "a\u{0}1", String(repeating: "p", count: 256)] {
            try await refused("/users", ["users": [["name": "u1", "password": .string(password)]]], password)
        }
        #expect(try await users() == [])
    }

    func duplicates() async throws {
        let first: JSONValue = ["name": "ann", "password": "first1"]
        try await client.must("POST", instance + "/users", ["users": [first]])
        let second: JSONValue = [
            "users": [["name": "bob", "password": "b1"], ["name": "ann", "password": "second1"]]
        ]
        let taken = try await client.call("POST", instance + "/users", second)
        #expect(taken.status == 400)
        #expect(
            taken.body?["badRequest"]?["message"]?.stringValue == "A user with the name \"ann\" already exists.")
        _ = try await sql("ann", "first1", "", "SELECT 1")
        // Another host is another account, with a password of its own.
        let local: JSONValue = ["name": "ann", "host": "127.0.0.1", "password": "local1"]
        try await client.must("POST", instance + "/users", ["users": [local]])
        #expect(try await users() == ["ann@%", "ann@127.0.0.1"])
        _ = try await sql("ann", "local1", "", "SELECT 1")
        #expect(try await client.call("POST", instance + "/users", ["users": [local]]).status == 400)
        let rename = try await client.call(
            "PUT", instance + "/users/ann", ["user": ["host": "127.0.0.1", "password": "stolen1"]])
        #expect(rename.status == 400, "\(rename.status)")
        _ = try await sql("ann", "local1", "", "SELECT 1")
        try await client.must("DELETE", instance + "/users/" + segment("ann@127.0.0.1"))
        _ = try await sql("ann", "first1", "", "SELECT 1")
        let unknown: JSONValue = ["users": [["name": "ann", "password": "new1"], ["name": "zoe", "password": "x1"]]]
        let changed = try await client.call("PUT", instance + "/users", unknown)
        #expect(changed.status == 404)
        #expect(
            changed.body?["itemNotFound"]?["message"]?.stringValue == "User zoe@% cannot be found on the instance.")
        _ = try await sql("ann", "first1", "", "SELECT 1")
        try await client.must("DELETE", instance + "/users/ann")
        #expect(try await client.call("DELETE", instance + "/users/ann").status == 404)

        try await client.must("POST", instance + "/databases", ["databases": [["name": "shop"]]])
        let again = try await client.call(
            "POST", instance + "/databases", ["databases": [["name": "other"], ["name": "shop"]]])
        #expect(again.status == 400)
        #expect(
            again.body?["badRequest"]?["message"]?.stringValue == "A database with the name \"shop\" already exists.")
        #expect(try await databases() == ["shop"])
        try await client.must("DELETE", instance + "/databases/shop")
        #expect(try await client.call("DELETE", instance + "/databases/shop").status == 404)
    }

    /// What only the engine can refuse takes back what the request had made before.
    func allOrNone() async throws {
        let bad: JSONValue = ["name": "bad", "character_set": "utf8mb4", "collate": "utf8mb4_klingon_ci"]
        let answer = try await client.call("POST", instance + "/databases", ["databases": [["name": "good"], bad]])
        #expect(answer.status == 400, "\(answer.status)")
        #expect(answer.body?.text.contains("utf8mb4_klingon_ci") == true, "\(answer.body?.text ?? "")")
        #expect(try await databases() == [])
    }
}
