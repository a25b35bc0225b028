// SPDX-License-Identifier: Apache-2.0

import CTrovePlugin
import Glibc
import TestSupport
import Testing
import TrovePluginKit

/// All tests against a real PostgreSQL run one after the other.
@Suite("PostgreSQL on a real server", .enabled(if: PostgreSQLEngine.isInstalled), .serialized)
enum PostgreSQLTests {}

extension PostgreSQLTests {
    @Suite("life", .serialized)
    struct Life {
        @Test("an instance is made, started, restarted and stopped", .timeLimit(.minutes(1)))
        func lifecycle() async throws {
            try await withTemporaryDirectory { root in
                let engine = try PostgreSQLEngine(root: root, name: "i")
                defer { engine.stop() }
                #expect(PostgreSQLEngine.status { try engine.session.call(\.launch) } == 5, "launch before prepare")
                #expect(PostgreSQLEngine.status { try engine.prepare() } == 5, "prepare without data")
                #expect(try engine.session.status().status == 0)
                for _ in 0..<2 { try engine.session.call(\.initialize) }
                try engine.prepare()
                let first = try engine.start()
                #expect(first["stop_signal"] == "INT")
                let arguments = try first.list("argv").compactMap(\.stringValue)
                #expect(arguments.first == "/usr/lib/postgresql/15/bin/postgres")
                var info = stat()
                #expect(stat(engine.root + "/state/postgresql.json", &info) == 0 && info.st_mode & 0o777 == 0o600)
                let password = try engine.session.call(\.backup_access).text("password")
                #expect(!arguments.contains { $0.contains(password) })
                #expect(try engine.session.status().status == 1)

                engine.stop()
                #expect(try engine.session.status().status == 4)
                #expect(PostgreSQLEngine.status { try engine.session.call(\.list_databases) } == 9)
                for name in try PluginFiles.names(in: engine.root + "/run") { unlink(engine.root + "/run/" + name) }
                try engine.reopen()
                #expect(try engine.start() == first)
                #expect(try engine.session.status().status == 1)
                #expect(try engine.session.call(\.list_databases)["databases"] == [])
                #expect(try engine.session.call(\.list_users)["users"] == [])
                #expect(try engine.session.call(\.backup_access).text("password") == password)
                engine.stop(SIGKILL)
                _ = try engine.start()
                #expect(try engine.session.status().status == 1)
            }
        }

        @Test("copies of one template have identities of their own and pass the engine's checks")
        func identity() async throws {
            try await withTemporaryDirectory { root in
                var identifiers: Set<String> = []
                for name in ["a", "b"] {
                    let engine = try PostgreSQLEngine(root: root, name: name)
                    defer { engine.stop() }
                    try engine.copyTemplate()
                    for _ in 0..<2 { try engine.prepare() }
                    for _ in 0..<2 { try engine.session.call(\.launch) }
                    _ = try engine.start()
                    let identifier = "SELECT system_identifier FROM pg_control_system()"
                    identifiers.insert(try engine.administer(identifier))
                    engine.stop(SIGKILL)
                    _ = try engine.start()
                    identifiers.insert(try engine.administer(identifier))
                    #expect(try engine.administer("SHOW data_checksums") == "on\n")
                }
                #expect(identifiers.count == 2)
            }
        }

        @Test("root asked for at creation can log in after the first start, and its password is not kept")
        func rootAtCreation() async throws {
            try await withTemporaryDirectory { root in
                let engine = try PostgreSQLEngine(root: root, name: "i")
                defer { engine.stop() }
                try engine.copyTemplate()
                #expect(PostgreSQLEngine.status { try engine.prepare(["overrides": ["listen_addresses": "*"]]) } == 1)
                try engine.prepare(["root_password": "a'b\\c;", "overrides": ["max_connections": 33]])
                _ = try engine.start()
                #expect(try engine.query("postgres", "a'b\\c;", "SHOW max_connections", in: "postgres") == "33\n")
                let state = try PluginFiles.read(engine.root + "/state/postgresql.json")
                #expect(state?.contains("root_password") == false)
                let log = try PluginFiles.read(engine.root + "/log/error.log") ?? ""
                #expect(!log.contains("a'b") && !log.contains("SCRAM-SHA-256$"))
            }
        }

        @Test("a tenant's superuser neither moves the instance nor locks the administrator out")
        func superuser() async throws {
            try await PostgreSQLEngine.with { engine in
                try engine.session.call(\.enable_root, ["password": "r"])
                for statement in [
                    "ALTER SYSTEM SET listen_addresses = '127.0.0.1'", "ALTER SYSTEM SET port = 5433",
                    "ALTER SYSTEM SET hba_file = '/dev/null'", "ALTER ROLE os_admin PASSWORD 'mine'",
                ] { try engine.query("postgres", "r", statement, in: "postgres") }
                engine.stop()
                try engine.reopen()
                _ = try engine.start()
                #expect(try engine.session.status().status == 1)
                #expect(throws: TestProblem.self) {
                    try engine.query("os_admin", "mine", "SELECT 1", in: "postgres")
                }
            }
        }

        @Test("a cancelled call and one without time do nothing, and a long wait ends with its call")
        func cancellation() async throws {
            try await PostgreSQLEngine.with { engine in
                let cancelled = TestCall()
                cancelled.isCancelled = true
                let request: JSON = ["databases": [["name": "late"]]]
                #expect(
                    PostgreSQLEngine.status {
                        try engine.session.call(\.create_databases, request, in: cancelled)
                    } == 6)
                let late = TestCall(limit: .zero)
                #expect(
                    PostgreSQLEngine.status { try engine.session.call(\.create_databases, request, in: late) } == 7)
                #expect(try engine.session.call(\.list_databases)["databases"] == [])
                // A stopped server accepts and never answers.
                kill(engine.pid, SIGSTOP)
                defer { kill(engine.pid, SIGCONT) }
                try engine.reopen()
                let short = TestCall(limit: .milliseconds(300))
                #expect(PostgreSQLEngine.status { try engine.session.call(\.list_databases, [:], in: short) } == 7)
            }
        }
    }
}
