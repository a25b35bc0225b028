// SPDX-License-Identifier: Apache-2.0

import CTrovePlugin
import Glibc
import TestSupport
import Testing
import TrovePluginKit

/// The datastore against a real server; each test has one of its own.
@Suite("Redis on a real server", .enabled(if: RedisEngine.isInstalled), .serialized)
struct RedisEngineTests {
    /// Makes an instance, starts it, and removes everything afterwards.
    static func withEngine(overrides: JSON = [:], _ body: (RedisEngine) throws -> Void) async throws {
        try await withTemporaryDirectory { root in
            let engine = try RedisEngine(root: root, name: "i")
            defer { engine.stop() }
            try engine.prepare(overrides: overrides)
            try engine.start()
            try body(engine)
        }
    }

    static func status(_ body: () throws -> Void) -> Int32? { EngineTests.status(body) }

    static func make(_ name: String, _ password: String, _ engine: RedisEngine) throws {
        try engine.session.call(\.create_users, ["users": [["name": .string(name), "password": .string(password)]]])
    }

    @Test("an instance is made, started, restarted and stopped", .timeLimit(.minutes(1)))
    func lifecycle() async throws {
        try await withTemporaryDirectory { root in
            let engine = try RedisEngine(root: root, name: "i")
            defer { engine.stop() }
            #expect(Self.status { try engine.session.call(\.launch) } == 5, "launch before prepare")
            #expect(try engine.session.status().status == 0)
            #expect(engine.session.table.initialize == nil)
            for _ in 0..<2 { try engine.prepare() }
            let launch = try engine.start()
            #expect(launch["ready"] == "notify" && launch["stop_signal"] == "TERM")
            var info = stat()
            #expect(stat(engine.root + "/state/redis.json", &info) == 0 && info.st_mode & 0o777 == 0o600)
            let password = try JSON(parsing: try PluginFiles.read(engine.root + "/state/redis.json") ?? "").text(
                "password")
            for file in ["data/users.acl", "run/redis.conf"] {
                let text = try PluginFiles.read("\(engine.root)/\(file)")
                #expect(text?.contains(password) == false, "\(file)")
            }
            #expect(try engine.session.status().status == 1)
            #expect(throws: TestProblem.self) { try engine.run("default", "", ["PING"]) }

            try Self.make("ann", "pw", engine)
            try engine.run("ann", "pw", ["SET", "k", "v"])
            engine.stop()
            #expect(try engine.session.status().status == 4)
            #expect(Self.status { try engine.session.call(\.list_databases) } == 9)
            unlink(engine.root + "/run/redis.conf")
            try engine.reopen()
            try engine.start()
            #expect(try engine.run("ann", "pw", ["GET", "k"]) == "v\n")
            #expect(try engine.session.status().status == 1)

            // What was acknowledged is there after the engine was killed a second later.
            try engine.run("ann", "pw", ["SET", "k", "w"])
            usleep(1_500_000)
            engine.stop(SIGKILL)
            try engine.start()
            #expect(try engine.run("ann", "pw", ["GET", "k"]) == "w\n")
        }
    }

    @Test("numbered databases are listed, and none is made or deleted")
    func databases() async throws {
        try await Self.withEngine { engine in
            #expect(engine.session.table.create_databases == nil && engine.session.table.delete_database == nil)
            #expect(engine.session.table.grant_access == nil && engine.session.table.revoke_access == nil)
            var seen: [String] = []
            var marker: JSON = .null
            repeat {
                let page = try engine.session.call(\.list_databases, ["limit": 7, "marker": marker])
                seen += try page.list("databases").map { try $0.text("name") }
                marker = page["next"] ?? .null
            } while marker != .null
            #expect(seen == (0..<16).map(String.init))
            func one(_ name: String) throws -> JSON? {
                try engine.session.call(
                    \.list_databases, ["limit": 1, "marker": .string(name), "include_marker": true])["databases"]
            }
            #expect(try one("3") == [["name": "3"]])
            for name in ["16", "x", "-1", "03", ""] { #expect(try one(name) == [], "\(name)") }
        }
    }

    @Test("users are made, shown, changed and deleted, whatever their passwords are", .timeLimit(.minutes(1)))
    func users() async throws {
        try await Self.withEngine { engine in
            let call = engine.session.call
            let password = "p'\\\"; ~* >x # ü"
            let users: JSON = [
                "users": [
                    ["name": "o'b\"rien\\>#x", "password": .string(password), "databases": []],
                    ["name": "ann", "password": "x"],
                ]
            ]
            for _ in 0..<2 { _ = try call(\.create_users, users, TestCall()) }
            try engine.run("o'b\"rien\\>#x", password, ["SET", "a", "1"])
            for forbidden in [["ACL", "LIST"], ["CONFIG", "GET", "*"], ["SHUTDOWN"], ["REPLICAOF", "NO", "ONE"]] {
                #expect(throws: TestProblem.self, "\(forbidden)") { _ = try engine.run("ann", "x", forbidden) }
            }
            try engine.run("ann", "x", ["FLUSHDB"])
            let ann: JSON = ["name": "ann", "host": "%", "databases": []]
            #expect(try call(\.get_user, ["name": "ann", "host": "%"], TestCall()) == ann)
            #expect(Self.status { try engine.session.call(\.get_user, ["name": "nobody"]) } == 2)
            #expect(Self.status { try engine.session.call(\.get_user, ["name": "ann", "host": "h"]) } == 2)
            #expect(Self.status { try Self.make("ann", "another", engine) } == 3)

            let first = try call(\.list_users, ["limit": 1], TestCall())
            #expect(first == ["users": [ann], "next": "ann@%"])
            let second = try call(\.list_users, ["limit": 1, "marker": "ann@%"], TestCall())
            #expect(second == ["users": [["name": "o'b\"rien\\>#x", "host": "%", "databases": []]], "next": .null])

            let update: JSON = ["name": "ann", "host": "%", "new_name": "bea", "new_password": "new"]
            for _ in 0..<2 { _ = try call(\.update_user, update, TestCall()) }
            #expect(throws: TestProblem.self) { try engine.run("ann", "x", ["PING"]) }
            #expect(throws: TestProblem.self) { try engine.run("bea", "x", ["PING"]) }
            #expect(try engine.run("bea", "new", ["ACL", "WHOAMI"]) == "bea\n")
            let taken: JSON = ["name": "bea", "new_name": "o'b\"rien\\>#x"]
            #expect(Self.status { try engine.session.call(\.update_user, taken) } == 3)
            #expect(Self.status { try engine.session.call(\.update_user, ["name": "no", "new_password": "x"]) } == 2)
            #expect(Self.status { try engine.session.call(\.update_user, ["name": "bea", "new_host": "h"]) } == 1)

            // The list is on disk: killed at once, the engine has it again.
            engine.stop(SIGKILL)
            try engine.start()
            #expect(try engine.run("bea", "new", ["ACL", "WHOAMI"]) == "bea\n")
            for _ in 0..<2 { _ = try engine.session.call(\.delete_user, ["name": "bea"]) }
            #expect(throws: TestProblem.self) { try engine.run("bea", "new", ["PING"]) }
            #expect(try engine.data("users.acl")?.contains("bea") == false)
        }
    }

    @Test("users that the engine would not give back are refused, and none of a list is made")
    func badUsers() async throws {
        try await Self.withEngine { engine in
            for name in ["os_admin", "default", "", "a b", "a\nuser x on nopass", "a\u{0}b", "a\u{85}b", "a\u{2028}b"] {
                #expect(Self.status { try Self.make(name, "x", engine) } == 1, "\(name)")
            }
            for name in ["os_admin", "default"] {
                #expect(Self.status { try engine.session.call(\.delete_user, ["name": .string(name)]) } == 1)
                #expect(Self.status { try engine.session.call(\.get_user, ["name": .string(name)]) } == 1)
                let update: JSON = ["name": .string(name), "new_password": "x"]
                #expect(Self.status { try engine.session.call(\.update_user, update) } == 1)
            }
            let users: [JSON] = [
                ["name": "b", "password": ""], ["name": "b", "password": "x", "host": "10.0.0.1"],
                ["name": "b", "password": "x", "databases": [["name": "0"]]],
            ]
            for user in users {
                let list: JSON = ["users": [["name": "a", "password": "x"], user]]
                #expect(Self.status { try engine.session.call(\.create_users, list) } == 1, "\(user.text)")
            }
            let page = try engine.session.call(\.list_users)
            #expect(page["users"] == [])
        }
    }

    @Test("root is the default user: enabled with a password given or made, and disabled")
    func root() async throws {
        try await Self.withEngine { engine in
            #expect(try engine.session.call(\.root_status) == ["enabled": false])
            let made = try engine.session.call(\.enable_root, ["password": .null])
            let password = try made.text("password")
            #expect(made["name"] == "default" && password.count == 36)
            #expect(try engine.run("default", password, ["CONFIG", "GET", "appendonly"]) == "appendonly\nyes\n")
            for forbidden in [["CONFIG", "SET", "port", "1"], ["SHUTDOWN"], ["REPLICAOF", "127.0.0.1", "1"]] {
                #expect(throws: TestProblem.self) { try engine.run("default", password, forbidden) }
            }
            let own = try engine.session.call(\.enable_root, ["password": "it's"])
            #expect(own == ["name": "default", "password": "it's"])
            #expect(throws: TestProblem.self) { try engine.run("default", password, ["PING"]) }
            engine.stop()
            try engine.start()
            try engine.run("default", "it's", ["PING"])
            // Root may take the service's account away; a restart brings it back.
            try engine.run("default", "it's", ["ACL", "DELUSER", "os_admin"])
            try engine.run("default", "it's", ["ACL", "SAVE"])
            #expect(try engine.session.status().status == 3)
            engine.stop()
            try engine.start()
            #expect(try engine.session.call(\.root_status) == ["enabled": true])
            for _ in 0..<2 { try engine.session.call(\.disable_root) }
            #expect(try engine.session.call(\.root_status) == ["enabled": false])
            #expect(throws: TestProblem.self) { try engine.run("default", "it's", ["PING"]) }
        }
    }

    @Test("root asked for at creation can log in after the first start, and its password is nowhere")
    func rootAtCreation() async throws {
        try await withTemporaryDirectory { root in
            let engine = try RedisEngine(root: root, name: "i")
            defer { engine.stop() }
            #expect(Self.status { try engine.prepare(["overrides": ["dir": "/tmp"]]) } == 1)
            try engine.prepare(["root_password": "secret-of-root", "overrides": ["maxclients": 33]])
            try engine.start()
            let limit = try engine.run("default", "secret-of-root", ["CONFIG", "GET", "maxclients"])
            #expect(limit == "maxclients\n33\n")
            for file in ["state/redis.json", "data/users.acl", "run/redis.conf"] {
                #expect(try PluginFiles.read("\(engine.root)/\(file)")?.contains("secret-of-root") == false)
            }
        }
    }

    @Test("an engine whose memory is full refuses writes and is told as blocked")
    func full() async throws {
        try await Self.withEngine(overrides: ["maxmemory": 4_194_304]) { engine in
            try Self.make("ann", "pw", engine)
            let fill = "for i = 1, 6000 do redis.call('SET', i, string.rep('x', 1000)) end"
            // A script that began in time ends; what comes after it is refused.
            try engine.run("ann", "pw", ["EVAL", fill, "0"])
            #expect(throws: TestProblem.self) { try engine.run("ann", "pw", ["SET", "k", "v"]) }
            #expect(try engine.session.status().status == 3)
            #expect(try engine.session.status().connections == 0)
            try engine.run("ann", "pw", ["FLUSHALL"])
            #expect(try engine.session.status().status == 1)
        }
    }

    @Test("a cancelled call and one without time do nothing")
    func cancellation() async throws {
        try await Self.withEngine { engine in
            let cancelled = TestCall()
            cancelled.isCancelled = true
            let request: JSON = ["users": [["name": "late", "password": "x"]]]
            #expect(Self.status { try engine.session.call(\.create_users, request, in: cancelled) } == 6)
            let late = TestCall(limit: .zero)
            #expect(Self.status { try engine.session.call(\.create_users, request, in: late) } == 7)
            let page = try engine.session.call(\.list_users)
            #expect(page["users"] == [])
        }
    }
}
