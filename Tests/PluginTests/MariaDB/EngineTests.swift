// SPDX-License-Identifier: Apache-2.0

import CTrovePlugin
import Glibc
import TestSupport
import Testing
import TrovePluginKit

/// The datastore and its backups against a real server; each test has one of its own.
@Suite("MariaDB on a real server", .enabled(if: Engine.isInstalled), .serialized)
struct EngineTests {
    /// Makes an instance from a new template, starts it, and removes everything afterwards.
    static func withEngine(_ body: (Engine) throws -> Void) async throws {
        try await withTemporaryDirectory { root in
            let engine = try Engine(root: root, name: "i")
            defer { engine.stop() }
            try engine.session.call(\.initialize)
            try engine.prepare()
            _ = try engine.start()
            try body(engine)
        }
    }

    static func status(_ body: () throws -> Void) -> Int32? {
        do {
            try body()
            return 0
        } catch let failure as CallFailure {
            return failure.status
        } catch {
            return nil
        }
    }

    @Test("an instance is made, started, restarted and stopped", .timeLimit(.minutes(1)))
    func lifecycle() async throws {
        try await withTemporaryDirectory { root in
            let engine = try Engine(root: root, name: "i")
            defer { engine.stop() }
            #expect(Self.status { try engine.session.call(\.launch) } == 5, "launch before prepare")
            #expect(try engine.session.status().status == 0)
            try engine.session.call(\.initialize)
            try engine.session.call(\.initialize)
            try engine.prepare()
            let first = try engine.start()
            #expect(try first.list("argv").count == 3)
            #expect(access(engine.root + "/run/first-start.sql", F_OK) != 0)
            var info = stat()
            #expect(stat(engine.root + "/state/mariadb.json", &info) == 0 && info.st_mode & 0o777 == 0o600)
            #expect(try engine.session.status().status == 1)

            engine.stop()
            #expect(try engine.session.status().status == 4)
            #expect(Self.status { try engine.session.call(\.list_databases) } == 9)
            for name in ["my.cnf"] { unlink(engine.root + "/run/" + name) }
            try engine.reopen()
            let second = try engine.start()
            #expect(try second.list("argv").count == 2)
            #expect(try engine.session.status().status == 1)
            #expect(try engine.session.call(\.list_databases)["databases"] == [])
            #expect(try engine.session.call(\.list_users)["users"] == [])
            #expect(throws: TestProblem.self) { try engine.query("root", "", "SELECT 1") }
        }
    }

    @Test("databases are made, listed page by page and deleted, whatever their names are")
    func databases() async throws {
        try await Self.withEngine { engine in
            let names = ["Zeta", "a", "b`c", "d'e\"f", "naïve", "w_x"]
            let documents =
                names.map { JSON.object(["name": .string($0)]) } + [
                    ["name": "set", "character_set": "latin1", "collate": "latin1_bin"]
                ]
            for _ in 0..<2 { try engine.session.call(\.create_databases, ["databases": .array(documents)]) }
            var seen: [String] = []
            var marker: JSON = .null
            repeat {
                let page = try engine.session.call(\.list_databases, ["limit": 3, "marker": marker])
                seen += try page.list("databases").map { try $0.text("name") }
                marker = page["next"] ?? .null
            } while marker != .null
            #expect(seen == ["Zeta", "a", "b`c", "d'e\"f", "naïve", "set", "w_x"])
            let one = try engine.session.call(\.list_databases, ["limit": 1, "marker": "set", "include_marker": true])
            #expect(one["databases"] == [["name": "set", "character_set": "latin1", "collate": "latin1_bin"]])
            for name in names {
                for _ in 0..<2 { try engine.session.call(\.delete_database, ["name": .string(name)]) }
            }
            #expect(try engine.session.call(\.list_databases).list("databases").count == 1)
            #expect(
                Self.status { try engine.session.call(\.create_databases, ["databases": [["name": "mysql"]]]) } == 1)
            #expect(
                Self.status { try engine.session.call(\.create_databases, ["databases": [["name": "a\u{0}b"]]]) } == 1)
            // Only the engine knows every collation; what was made before it refused one is taken back.
            let before = try engine.session.call(\.list_databases).list("databases").count
            let unknown: JSON = ["databases": [["name": "w"], ["name": "x", "collate": "utf8mb4_klingon_ci"]]]
            do {
                try engine.session.call(\.create_databases, unknown)
                Issue.record("an unknown collation was taken")
            } catch let failure as CallFailure {
                #expect(failure.status == 1)
                #expect(failure.details?["errno"] == 1273)
            }
            #expect(try engine.session.call(\.list_databases).list("databases").count == before)
        }
    }

    @Test("a user logs in with its password and reaches its own databases alone")
    func users() async throws {
        try await Self.withEngine { engine in
            let call = engine.session.call
            _ = try call(\.create_databases, ["databases": [["name": "a_b"], ["name": "axb"]]], TestCall())
            let password = "p'\\\"; -- ü\n"
            let users: JSON = [
                "users": [
                    ["name": "o'brien\\", "password": .string(password), "databases": [["name": "a_b"]]],
                    ["name": "ann", "password": "x", "host": "127.0.0.1", "databases": []],
                ]
            ]
            for _ in 0..<2 { _ = try call(\.create_users, users, TestCall()) }
            try engine.query("o'brien\\", password, "CREATE TABLE a_b.t (i INT); INSERT INTO a_b.t VALUES (1)")
            // `_` in a grant would stand for any character.
            #expect(throws: TestProblem.self) { try engine.query("o'brien\\", password, "USE axb") }
            let view: JSON = ["name": "o'brien\\", "host": "%", "databases": [["name": "a_b"]]]
            #expect(try call(\.get_user, ["name": "o'brien\\", "host": "%"], TestCall()) == view)
            #expect(Self.status { try engine.session.call(\.get_user, ["name": "nobody"]) } == 2)

            let first = try call(\.list_users, ["limit": 1], TestCall())
            #expect(first["next"] == "ann@127.0.0.1")
            let second = try call(\.list_users, ["limit": 1, "marker": "ann@127.0.0.1"], TestCall())
            #expect(second == ["users": [view], "next": .null])

            let user: JSON = ["name": "ann", "host": "127.0.0.1"]
            let grant: JSON = ["name": "ann", "host": "127.0.0.1", "databases": ["a_b", "axb"]]
            for _ in 0..<2 { _ = try call(\.grant_access, grant, TestCall()) }
            #expect(try call(\.get_user, user, TestCall())["databases"] == [["name": "a_b"], ["name": "axb"]])
            let revoke: JSON = ["name": "ann", "host": "127.0.0.1", "database": "a_b"]
            for _ in 0..<2 { _ = try call(\.revoke_access, revoke, TestCall()) }
            #expect(try call(\.get_user, user, TestCall())["databases"] == [["name": "axb"]])
            #expect(Self.status { try engine.session.call(\.grant_access, ["name": "no", "databases": ["axb"]]) } == 2)

            let update: JSON = [
                "name": "ann", "host": "127.0.0.1", "new_name": "bea", "new_host": "%", "new_password": "new",
            ]
            for _ in 0..<2 { _ = try call(\.update_user, update, TestCall()) }
            let who = try engine.query("bea", "new", "SELECT CURRENT_USER(); USE axb")
            #expect(who == "bea@%\n")
            #expect(Self.status { try engine.session.call(\.update_user, ["name": "no", "new_password": "x"]) } == 2)
            for _ in 0..<2 { _ = try call(\.delete_user, ["name": "bea"], TestCall()) }
            #expect(throws: TestProblem.self) { try engine.query("bea", "new", "SELECT 1") }
            #expect(Self.status { try engine.session.call(\.delete_user, ["name": "os_admin"]) } == 1)
            #expect(Self.status { try engine.session.call(\.delete_user, ["name": "root"]) } == 1)
        }
    }

    @Test("root is enabled with a password given or made, and disabled")
    func root() async throws {
        try await Self.withEngine { engine in
            #expect(try engine.session.call(\.root_status) == ["enabled": false])
            let made = try engine.session.call(\.enable_root, ["password": .null])
            let password = try made.text("password")
            #expect(made["name"] == "root" && password.count == 36)
            try engine.query(
                "root", password, "CREATE DATABASE by_root; GRANT SELECT ON by_root.* TO 'x'@'%' IDENTIFIED BY 'y'")
            #expect(
                try engine.session.call(\.enable_root, ["password": "it's"]) == ["name": "root", "password": "it's"])
            try engine.query("root", "it's", "SELECT 1")
            #expect(throws: TestProblem.self) { try engine.query("root", password, "SELECT 1") }
            #expect(try engine.session.call(\.root_status) == ["enabled": true])
            for _ in 0..<2 { try engine.session.call(\.disable_root) }
            #expect(try engine.session.call(\.root_status) == ["enabled": false])
            #expect(throws: TestProblem.self) { try engine.query("root", "it's", "SELECT 1") }
        }
    }

    @Test("a backup of a running instance is restored to another one, without the source's administrators")
    func backup() async throws {
        try await Self.withEngine { source in
            try source.session.call(\.create_databases, ["databases": [["name": "shop"]]])
            try source.session.call(
                \.create_users, ["users": [["name": "ann", "password": "pw", "databases": [["name": "shop"]]]]])
            try source.session.call(\.enable_root, ["password": "rootpw"])
            try source.query(
                "ann", "pw",
                "USE shop; CREATE TABLE shop.t (i INT PRIMARY KEY, v TEXT); INSERT INTO shop.t SELECT seq, REPEAT(seq, 20) FROM seq_1_to_5000"
            )
            let sum = "SELECT COUNT(*), SUM(CRC32(v)) FROM shop.t"
            let expected = try source.query("ann", "pw", sum)

            let access = try source.session.call(\.backup_access)
            let strategy = try BackupSession(source.config.adding("access", access))
            let file = open(source.root + "/backup.xb", O_RDWR | O_CREAT, 0o600)
            defer { close(file) }
            let result = try strategy.backup(["type": "full", "memory_mb": 512], to: file)
            #expect(UInt64(try (result["position"] ?? .null).text("to_lsn")) != nil)
            #expect(Glibc.access(source.root + "/run/backup.cnf", F_OK) != 0)
            #expect(Self.status { _ = try strategy.backup(["type": "incremental", "memory_mb": 512], to: file) } == 1)

            let parent = String(source.root.dropLast(2))
            let target = try Engine(root: parent, name: "j")
            defer { target.stop() }
            let restorer = try BackupSession(target.config)
            let request: JSON = ["type": "full", "position": result["position"] ?? .null, "memory_mb": 512]
            lseek(file, 0, Int32(SEEK_SET))
            try restorer.restore(request, from: file)
            try restorer.postRestore(request)
            try target.prepare(["restored": true])
            _ = try target.start()
            #expect(try target.query("ann", "pw", sum) == expected)
            #expect(try target.session.call(\.root_status) == ["enabled": false])
            let old = try access.text("password")
            #expect(throws: TestProblem.self) { try target.query("os_admin", old, "SELECT 1") }
            #expect(try target.session.call(\.backup_access)["password"] != access["password"])
        }
    }

    @Test("a stream that is no backup is refused")
    func brokenRestore() async throws {
        try await withTemporaryDirectory { root in
            let engine = try Engine(root: root, name: "i")
            let restorer = try BackupSession(engine.config)
            let file = open(root + "/x", O_RDWR | O_CREAT, 0o600)
            defer { close(file) }
            let request: JSON = ["type": "full", "memory_mb": 512]
            #expect(Self.status { try restorer.restore(request, from: file) } == 1, "an empty stream")
            _ = write(file, "not a backup", 12)
            lseek(file, 0, Int32(SEEK_SET))
            #expect(Self.status { try restorer.restore(request, from: file) } == 12)
            #expect(Self.status { try restorer.postRestore(request) } == 5)
        }
    }

    @Test("root asked for at creation can log in after the first start, and its password is not kept")
    func rootAtCreation() async throws {
        try await withTemporaryDirectory { root in
            let engine = try Engine(root: root, name: "i")
            defer { engine.stop() }
            try engine.session.call(\.initialize)
            let overrides: JSON = ["max_connections": 33, "init-connect": "x"]
            #expect(Self.status { try engine.prepare(["overrides": overrides]) } == 1)
            try engine.prepare(["root_password": "a'b\\c;", "overrides": ["max_connections": 33]])
            _ = try engine.start()
            let settings = try engine.query("root", "a'b\\c;", "SELECT @@max_connections, @@datadir")
            #expect(settings == "33\t\(engine.root)/data/\n")
            let state = try PluginFiles.read(engine.root + "/state/mariadb.json")
            #expect(state?.contains("root_password") == false)
        }
    }

    @Test("a cancelled call and one without time do nothing")
    func cancellation() async throws {
        try await Self.withEngine { engine in
            let cancelled = TestCall()
            cancelled.isCancelled = true
            let request: JSON = ["databases": [["name": "late"]]]
            #expect(Self.status { try engine.session.call(\.create_databases, request, in: cancelled) } == 6)
            let late = TestCall(limit: .zero)
            #expect(Self.status { try engine.session.call(\.create_databases, request, in: late) } == 7)
            let page = try engine.session.call(\.list_databases)
            #expect(page["databases"] == [])
        }
    }
}

extension JSON {
    func adding(_ key: String, _ value: JSON) -> JSON {
        .object((objectValue ?? [:]).merging([key: value]) { _, new in new })
    }
}
