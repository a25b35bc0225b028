// SPDX-License-Identifier: Apache-2.0

import CTrovePlugin
import Glibc
import TestSupport
import Testing
import TrovePluginKit

extension PostgreSQLTests {
    @Suite("backups", .serialized)
    struct Backups {
        @Test("a backup of a running instance is restored to another one, without the source's administrators")
        func backup() async throws {
            try await PostgreSQLEngine.with { source in
                try source.session.call(\.create_databases, ["databases": [["name": "shop"]]])
                try source.session.call(
                    \.create_users, ["users": [["name": "ann", "password": "pw", "databases": [["name": "shop"]]]]])
                try source.session.call(\.enable_root, ["password": "rootpw"])
                let rows = "CREATE TABLE t AS SELECT n AS i, repeat(n::text, 20) AS v FROM generate_series(1, 50000) n"
                try source.query("ann", "pw", rows, in: "shop")
                try source.query("postgres", "rootpw", "ALTER SYSTEM SET work_mem = '7MB'", in: "postgres")
                let sum = "SELECT count(*), sum(hashtext(v)) FROM t"
                let expected = try source.query("ann", "pw", sum, in: "shop")

                let access = try source.session.call(\.backup_access)
                let strategy = try BackupSession(
                    source.config.adding("access", access), image: PluginImage.pgBaseBackup)
                let file = open(source.root + "/backup.tar", O_RDWR | O_CREAT, 0o600)
                defer { close(file) }
                let result = try strategy.backup(["type": "full", "memory_mb": 512], to: file)
                #expect(try (result["position"] ?? .null).text("start_lsn").contains("/"))
                #expect(Glibc.access(source.root + "/run/backup.pgpass", F_OK) != 0)
                #expect(try source.administer("SELECT count(*) FROM pg_replication_slots") == "0\n")
                let incremental: JSON = ["type": "incremental", "memory_mb": 512]
                #expect(PostgreSQLEngine.status { _ = try strategy.backup(incremental, to: file) } == 4)

                let target = try PostgreSQLEngine(root: String(source.root.dropLast(2)), name: "j")
                defer { target.stop() }
                let restorer = try BackupSession(target.config, image: PluginImage.pgBaseBackup)
                let request: JSON = ["type": "full", "position": result["position"] ?? .null, "memory_mb": 512]
                lseek(file, 0, Int32(SEEK_SET))
                try restorer.restore(request, from: file)
                for _ in 0..<2 { try restorer.postRestore(request) }
                try target.prepare(["restored": true])
                _ = try target.start()
                #expect(try target.query("ann", "pw", sum, in: "shop") == expected)
                #expect(try target.session.call(\.root_status) == ["enabled": false])
                let old = try access.text("password")
                #expect(throws: TestProblem.self) { try target.query("os_admin", old, "SELECT 1", in: "postgres") }
                #expect(throws: TestProblem.self) { try target.query("postgres", "rootpw", "SELECT 1", in: "postgres") }
                #expect(try target.session.call(\.backup_access)["password"] != access["password"])
                #expect(try target.administer("SHOW work_mem") == "4MB\n")
                try target.session.call(\.enable_root, ["password": "again"])
                try target.query("postgres", "again", "SELECT 1", in: "postgres")
            }
        }

        @Test("a stream that is no backup, or not all of one, is refused")
        func brokenRestore() async throws {
            try await withTemporaryDirectory { root in
                let engine = try PostgreSQLEngine(root: root, name: "i")
                let restorer = try BackupSession(engine.config, image: PluginImage.pgBaseBackup)
                let file = open(root + "/x", O_RDWR | O_CREAT, 0o600)
                defer { close(file) }
                let request: JSON = ["type": "full", "memory_mb": 512]
                #expect(PostgreSQLEngine.status { try restorer.postRestore(request) } == 5)
                #expect(PostgreSQLEngine.status { try restorer.restore(request, from: file) } != 0, "an empty stream")
                _ = write(file, "not a backup", 12)
                lseek(file, 0, Int32(SEEK_SET))
                #expect(PostgreSQLEngine.status { try restorer.restore(request, from: file) } == 12)
                #expect(PostgreSQLEngine.status { try restorer.postRestore(request) } == 5)
            }
        }

        @Test("a restored directory that lacks a file is refused")
        func missingFile() async throws {
            try await PostgreSQLEngine.with { source in
                let access = try source.session.call(\.backup_access)
                let config = source.config.adding("access", access)
                let strategy = try BackupSession(config, image: PluginImage.pgBaseBackup)
                let file = open(source.root + "/backup.tar", O_RDWR | O_CREAT, 0o600)
                defer { close(file) }
                _ = try strategy.backup(["type": "full", "memory_mb": 512], to: file)
                let target = try PostgreSQLEngine(root: String(source.root.dropLast(2)), name: "j")
                let restorer = try BackupSession(target.config, image: PluginImage.pgBaseBackup)
                let request: JSON = ["type": "full", "memory_mb": 512]
                lseek(file, 0, Int32(SEEK_SET))
                try restorer.restore(request, from: file)
                unlink(target.root + "/data/pgdata/global/1262")
                do {
                    try restorer.postRestore(request)
                    Issue.record("half a backup was taken")
                } catch let failure as CallFailure {
                    #expect(failure.message.contains("global/1262"))
                }
            }
        }
    }
}
