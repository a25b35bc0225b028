// SPDX-License-Identifier: Apache-2.0

import CTrovePlugin
import Testing
import TrovePluginKit

extension PostgreSQLTests {
    @Suite("administration", .serialized)
    struct AdministrationTests {
        @Test("databases are made, listed page by page and deleted, whatever their names are")
        func databases() async throws {
            try await PostgreSQLEngine.with { engine in
                let session = engine.session
                let names = ["Zeta", "a", "b\"c", "d'e\\f", "naïve", "w_x;--"]
                let documents =
                    names.map { JSON.object(["name": .string($0)]) } + [
                        ["name": "set", "character_set": "latin1", "collate": "C"]
                    ]
                for _ in 0..<2 { try session.call(\.create_databases, ["databases": .array(documents)]) }
                var seen: [String] = []
                var marker: JSON = .null
                repeat {
                    let page = try session.call(\.list_databases, ["limit": 3, "marker": marker])
                    seen += try page.list("databases").map { try $0.text("name") }
                    marker = page["next"] ?? .null
                } while marker != .null
                #expect(seen == ["Zeta", "a", "b\"c", "d'e\\f", "naïve", "set", "w_x;--"])
                let one = try session.call(\.list_databases, ["limit": 1, "marker": "set", "include_marker": true])
                #expect(one["databases"] == [["name": "set", "character_set": "LATIN1", "collate": "C"]])
                for name in names {
                    for _ in 0..<2 { try session.call(\.delete_database, ["name": .string(name)]) }
                }
                #expect(try session.call(\.list_databases).list("databases").count == 1)
                #expect(try engine.administer("SELECT count(*) FROM pg_roles WHERE rolname LIKE 'trove%'") == "1\n")
                for name in ["postgres", "template1", "a\u{0}b", String(repeating: "é", count: 32)] {
                    let request: JSON = ["databases": [["name": .string(name)]]]
                    #expect(PostgreSQLEngine.status { try session.call(\.create_databases, request) } == 1, "\(name)")
                }
                // Only the engine knows which locales its machine has; what was made before is taken back.
                let unknown: JSON = ["databases": [["name": "w"], ["name": "x", "collate": "tlh_QO"]]]
                do {
                    try session.call(\.create_databases, unknown)
                    Issue.record("an unknown collation was taken")
                } catch let failure as CallFailure {
                    #expect(failure.status == 1)
                    #expect(failure.details?["sqlstate"] == "42809" || failure.details?["sqlstate"] == "22023")
                }
                #expect(try session.call(\.list_databases).list("databases").count == 1)
            }
        }

        @Test("a user logs in with its password and reaches its own databases alone")
        func users() async throws {
            try await PostgreSQLEngine.with { engine in
                let session = engine.session
                try session.call(\.create_databases, ["databases": [["name": "a_b"], ["name": "axb"]]])
                let (name, password) = ("o'brien\"\\", "p'\\\"; -- ü\n")
                let users: JSON = [
                    "users": [
                        ["name": .string(name), "password": .string(password), "databases": [["name": "a_b"]]],
                        ["name": "Ann@home", "password": "x", "databases": []],
                    ]
                ]
                for _ in 0..<2 { try session.call(\.create_users, users) }
                try engine.query(name, password, "CREATE TABLE t (i int); INSERT INTO t VALUES (1)", in: "a_b")
                for database in ["axb", "postgres", "template1"] {
                    #expect(throws: TestProblem.self) { try engine.query(name, password, "SELECT 1", in: database) }
                }
                #expect(throws: TestProblem.self) { try engine.query(name, "wrong", "SELECT 1", in: "a_b") }
                let view: JSON = ["name": .string(name), "host": "%", "databases": [["name": "a_b"]]]
                #expect(try session.call(\.get_user, ["name": .string(name), "host": "%"]) == view)
                for missing: JSON in [["name": "nobody"], ["name": .string(name), "host": "10.0.0.1"]] {
                    #expect(PostgreSQLEngine.status { try session.call(\.get_user, missing) } == 2)
                }
                let first = try session.call(\.list_users, ["limit": 1])
                #expect(first["next"] == "Ann@home@%")
                let second = try session.call(\.list_users, ["limit": 1, "marker": "Ann@home@%"])
                #expect(second == ["users": [view], "next": .null])

                let grant: JSON = ["name": "Ann@home", "databases": ["a_b", "axb"]]
                for _ in 0..<2 { try session.call(\.grant_access, grant) }
                let ann: JSON = ["name": "Ann@home"]
                #expect(try session.call(\.get_user, ann)["databases"] == [["name": "a_b"], ["name": "axb"]])
                // What one user of a database made is there for all of them.
                try engine.query(
                    "Ann@home", "x", "INSERT INTO t VALUES (2); ALTER TABLE t ADD COLUMN v text", in: "a_b")
                #expect(try engine.query(name, password, "SELECT sum(i) FROM t", in: "a_b") == "3\n")
                for _ in 0..<2 { try session.call(\.revoke_access, ["name": "Ann@home", "database": "a_b"]) }
                #expect(try session.call(\.get_user, ann)["databases"] == [["name": "axb"]])
                #expect(throws: TestProblem.self) { try engine.query("Ann@home", "x", "SELECT 1", in: "a_b") }
                let unknown: [JSON] = [
                    ["name": "no", "databases": ["axb"]], ["name": "Ann@home", "databases": ["no"]],
                ]
                for request in unknown {
                    #expect(PostgreSQLEngine.status { try session.call(\.grant_access, request) } == 2)
                }
            }
        }

        @Test("a user is renamed, gets another password and is deleted with what it made kept")
        func changes() async throws {
            try await PostgreSQLEngine.with { engine in
                let session = engine.session
                try session.call(\.create_databases, ["databases": [["name": "d"]]])
                let users: JSON = [
                    "users": [
                        ["name": "ann", "password": "x", "databases": [["name": "d"]]],
                        ["name": "bob", "password": "y", "databases": [["name": "d"]]],
                    ]
                ]
                try session.call(\.create_users, users)
                let taken: JSON = ["name": "ann", "new_name": "bob"]
                #expect(PostgreSQLEngine.status { try session.call(\.update_user, taken) } == 3)
                let moved: JSON = ["name": "ann", "new_host": "10.0.0.1"]
                #expect(PostgreSQLEngine.status { try session.call(\.update_user, moved) } == 1)
                let update: JSON = ["name": "ann", "new_name": "bea", "new_password": "new"]
                for _ in 0..<2 { try session.call(\.update_user, update) }
                #expect(throws: TestProblem.self) { try engine.query("bea", "x", "SELECT 1", in: "d") }
                #expect(try engine.query("bea", "new", "SELECT session_user", in: "d") == "bea\n")
                #expect(
                    PostgreSQLEngine.status { try session.call(\.update_user, ["name": "no", "new_password": "x"]) }
                        == 2)
                // As itself, not as the database's owner: still nothing keeps it from being deleted.
                try engine.administer("GRANT CREATE ON SCHEMA public TO bea", in: "d")
                try engine.query("bea", "new", "SET ROLE NONE; CREATE TABLE own AS SELECT 7 AS i", in: "d")
                for _ in 0..<2 { try session.call(\.delete_user, ["name": "bea"]) }
                #expect(throws: TestProblem.self) { try engine.query("bea", "new", "SELECT 1", in: "d") }
                #expect(try engine.query("bob", "y", "SELECT i FROM own", in: "d") == "7\n")
                for name in ["os_admin", "postgres", "pg_monitor", "trove_owner_1", "public"] {
                    let request: JSON = ["name": .string(name)]
                    #expect(PostgreSQLEngine.status { try session.call(\.delete_user, request) } == 1, "\(name)")
                }
                do {
                    try session.call(\.get_user, ["name": "postgres"])
                    Issue.record("the superuser was shown")
                } catch let failure as CallFailure {
                    #expect(
                        failure.message
                            == "User show error: User name \"postgres\" is on the reserved list: ['os_admin', 'postgres']."
                    )
                }
                // All or none.
                let half: JSON = [
                    "users": [
                        ["name": "c", "password": "x", "databases": []],
                        ["name": "e", "password": "x", "databases": [["name": "none"]]],
                    ]
                ]
                #expect(PostgreSQLEngine.status { try session.call(\.create_users, half) } == 2)
                #expect(try session.call(\.list_users).list("users").count == 1)
                try session.call(\.delete_database, ["name": "d"])
                #expect(try session.call(\.get_user, ["name": "bob"])["databases"] == [])
            }
        }

        @Test("root is enabled with a password given or made, and disabled without losing what it made")
        func root() async throws {
            try await PostgreSQLEngine.with { engine in
                let session = engine.session
                #expect(try session.call(\.root_status) == ["enabled": false])
                let made = try session.call(\.enable_root, ["password": .null])
                let password = try made.text("password")
                #expect(made["name"] == "postgres" && password.count == 36)
                try engine.query("postgres", password, "CREATE DATABASE by_root", in: "postgres")
                #expect(
                    try session.call(\.enable_root, ["password": "it's"]) == ["name": "postgres", "password": "it's"])
                try engine.query("postgres", "it's", "CREATE TABLE t AS SELECT 1 AS i", in: "by_root")
                #expect(throws: TestProblem.self) { try engine.query("postgres", password, "SELECT 1", in: "by_root") }
                #expect(try session.call(\.root_status) == ["enabled": true])
                for _ in 0..<2 { try session.call(\.disable_root) }
                #expect(try session.call(\.root_status) == ["enabled": false])
                #expect(throws: TestProblem.self) { try engine.query("postgres", "it's", "SELECT 1", in: "by_root") }
                #expect(try engine.administer("SELECT i FROM t", in: "by_root") == "1\n")
                #expect(try session.call(\.list_users)["users"] == [])
                // A database that root made is handed to a role of its own when somebody is let in.
                let user: JSON = ["name": "ann", "password": "x", "databases": [["name": "by_root"]]]
                try session.call(\.create_users, ["users": [user]])
                try engine.query("ann", "x", "CREATE TABLE u (i int)", in: "by_root")
                for _ in 0..<2 { try session.call(\.delete_database, ["name": "by_root"]) }
            }
        }
    }
}
