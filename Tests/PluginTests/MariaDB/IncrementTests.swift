// SPDX-License-Identifier: Apache-2.0

import CTrovePlugin
import Glibc
import TestSupport
import Testing
import TrovePluginKit

/// Chains of increments of a real server.
@Suite("MariaBackup, increments", .enabled(if: Engine.isInstalled), .serialized)
struct IncrementTests {
    /// A stream on disk and where its backup ends.
    private struct Part {
        var file: Int32
        var position: JSON
    }

    private static let login = ("ann", "pw")

    private func status(_ body: () throws -> Void) -> Int32? { EngineTests.status(body) }

    private func query(_ engine: Engine, _ text: String) throws {
        try engine.query(Self.login.0, Self.login.1, text)
    }

    private func seed(_ engine: Engine) throws {
        try engine.session.call(\.create_databases, ["databases": [["name": "shop"], ["name": "other"]]])
        let grants: JSON = [["name": "shop"], ["name": "other"]]
        try engine.session.call(
            \.create_users, ["users": [["name": "ann", "password": "pw", "databases": grants]]])
        try query(
            engine,
            """
            USE shop; CREATE TABLE t (i INT PRIMARY KEY, v TEXT); INSERT INTO t SELECT seq, REPEAT(seq, 20) FROM seq_1_to_5000;
            CREATE TABLE gone (i INT); CREATE TABLE plain (i INT) ENGINE = Aria; INSERT INTO plain VALUES (1)
            """)
    }

    private static let changes = [
        """
        USE shop; INSERT INTO t SELECT seq, 'later' FROM seq_5001_to_6000; DROP TABLE gone; INSERT INTO plain VALUES (2);
        CREATE TABLE fresh (i INT PRIMARY KEY); INSERT INTO fresh VALUES (41)
        """,
        """
        USE shop; DELETE FROM t WHERE i < 100; UPDATE t SET v = 'changed' WHERE i > 5900; RENAME TABLE fresh TO kept;
        ALTER TABLE kept ADD COLUMN w INT DEFAULT 7; CREATE TABLE other.z (i INT); INSERT INTO other.z VALUES (5)
        """,
    ]

    private static let sum = """
        SELECT COUNT(*), SUM(CRC32(v)), (SELECT SUM(i) FROM shop.plain), (SELECT CONCAT(i, w) FROM shop.kept), \
        (SELECT i FROM other.z), (SELECT GROUP_CONCAT(table_name ORDER BY table_name) FROM information_schema.tables \
        WHERE table_schema IN ('shop', 'other')) FROM shop.t
        """

    private func back(_ engine: Engine, _ name: String, parent: JSON? = nil) throws -> Part {
        let strategy = try BackupSession(
            engine.config.adding("access", try engine.session.call(\.backup_access)))
        let file = open(engine.root + "/" + name, O_RDWR | O_CREAT | O_TRUNC, 0o600)
        var request: [String: JSON] = ["type": "full", "memory_mb": 512]
        if let parent {
            request["type"] = "incremental"
            request["parent"] = parent
        }
        let result = try strategy.backup(.object(request), to: file)
        return Part(file: file, position: result["position"] ?? .null)
    }

    private func restore(_ part: Part, _ isIncremental: Bool, _ session: BackupSession) throws -> JSON {
        lseek(part.file, 0, Int32(SEEK_SET))
        let request: JSON = [
            "type": isIncremental ? "incremental" : "full", "position": part.position, "memory_mb": 512,
        ]
        try session.restore(request, from: part.file)
        return request
    }

    /// A full backup and an increment after each change.
    private func chain(_ source: Engine) throws -> [Part] {
        try seed(source)
        var chain = [try back(source, "0.xb")]
        for (index, change) in Self.changes.enumerated() {
            try query(source, change)
            chain.append(try back(source, "\(index + 1).xb", parent: chain[index].position))
        }
        return chain
    }

    @Test("a chain of increments restores what was there, with tables that were made, dropped and renamed between")
    func chainIsRestored() async throws {
        try await EngineTests.withEngine { source in
            let chain = try chain(source)
            defer { for part in chain { close(part.file) } }
            let sizes = chain.map { lseek($0.file, 0, Int32(SEEK_END)) }
            #expect(sizes[1] < sizes[0] / 2 && sizes[2] < sizes[0] / 2, "\(sizes)")
            let expected = try source.query("ann", "pw", Self.sum)
            #expect(expected.contains("417") && expected.contains("kept,plain,t,z"))

            let target = try Engine(root: String(source.root.dropLast(2)), name: "j")
            defer { target.stop() }
            let restorer = try BackupSession(target.config)
            var request = JSON.null
            for (index, part) in chain.enumerated() { request = try restore(part, index > 0, restorer) }
            try restorer.postRestore(request)
            let left = try PluginFiles.names(in: target.root + "/data")
            #expect(!left.contains { $0.hasPrefix(".trove") || $0.hasSuffix("_checkpoints") }, "\(left)")
            try target.prepare(["restored": true])
            _ = try target.start()
            #expect(try target.query("ann", "pw", Self.sum) == expected)

            // Nothing can be added to the source's backups here: the data parted from them.
            #expect(status { _ = try back(target, "x.xb", parent: chain[2].position) } == 5)
            let own = try back(target, "y.xb")
            close(own.file)
            close(try back(target, "z.xb", parent: own.position).file)
        }
    }

    @Test("increments that do not fit together are refused, and so is a parent of other data")
    func misfits() async throws {
        try await EngineTests.withEngine { source in
            let chain = try chain(source)
            defer { for part in chain { close(part.file) } }
            let target = try Engine(root: String(source.root.dropLast(2)), name: "j")
            let data = target.root + "/data"
            let restorer = try BackupSession(target.config)
            #expect(status { _ = try restore(chain[1], true, restorer) } == 5, "nothing to add to")
            #expect(status { _ = try restore(chain[1], false, restorer) } == 1, "an increment is no full backup")
            try WorkTreeCheck.empty(data)
            var other = chain[0]
            other.position = chain[2].position
            #expect(status { _ = try restore(other, false, restorer) } == 1, "another backup's stream")
            try WorkTreeCheck.empty(data)
            _ = try restore(chain[0], false, restorer)
            #expect(status { _ = try restore(chain[0], true, restorer) } == 1, "a full backup is no increment")
            #expect(status { _ = try restore(chain[2], true, restorer) } == 1, "one between is missing")
            #expect(!(try PluginFiles.names(in: data)).contains(".trove-restore"))

            let history = chain[0].position["history"] ?? .null
            for parent: JSON in [
                ["to_lsn": "99999999999", "history": history], ["to_lsn": "1", "history": "x"], ["to_lsn": "1"],
            ] {
                #expect(status { _ = try back(source, "x.xb", parent: parent) } == 5, "\(parent)")
            }
            #expect(status { _ = try back(source, "x.xb", parent: ["to_lsn": "x"]) } == 1)
            #expect(status { _ = try back(source, "x.xb", parent: [:]) } == 1)
            #expect(
                access(source.root + "/run/backup.cnf", F_OK) != 0 && access(source.root + "/run/backup", F_OK) != 0)
        }
    }
}

/// Empties a directory of a test.
enum WorkTreeCheck {
    static func empty(_ path: String) throws {
        for name in try PluginFiles.names(in: path) { try remove(path + "/" + name) }
    }

    private static func remove(_ path: String) throws {
        var status = stat()
        guard lstat(path, &status) == 0 else { return }
        guard status.st_mode & S_IFMT == S_IFDIR else { return try PluginFiles.remove(path) }
        try empty(path)
        rmdir(path)
    }
}
