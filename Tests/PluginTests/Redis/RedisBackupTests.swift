// SPDX-License-Identifier: Apache-2.0

import CTrovePlugin
import Glibc
import TestSupport
import Testing
import TrovePluginKit

/// Backups and the ways that data is kept, against real servers.
@Suite("Redis' backups and files", .enabled(if: RedisEngine.isInstalled), .serialized)
struct RedisBackupTests {
    /// Fills an instance with keys in two databases; returns a digest of all data.
    static func fill(_ engine: RedisEngine) throws -> String {
        try RedisEngineTests.make("ann", "pw", engine)
        let script = "for i = 1, 20000 do redis.call('SET', 'key:' .. i, string.rep(i, 20)) end"
        try engine.run("ann", "pw", ["EVAL", script, "0"])
        try engine.run("ann", "pw", ["-n", "3", "RPUSH", "list", "a", "b"])
        return try digest(engine)
    }

    static func digest(_ engine: RedisEngine) throws -> String {
        let script =
            "local s = '' for i = 1, 20000 do s = redis.sha1hex(s .. (redis.call('GET', 'key:' .. i) or '')) end return s"
        let list = try engine.run("ann", "pw", ["-n", "3", "LRANGE", "list", "0", "-1"])
        return try engine.run("ann", "pw", ["EVAL_RO", script, "0"]) + list
    }

    static func backup(_ engine: RedisEngine, to file: Int32) throws -> JSON {
        let access = try engine.session.call(\.backup_access)
        let strategy = try BackupSession(engine.config.adding("access", access), image: PluginImage.redisRDB)
        return try strategy.backup(["type": "full", "memory_mb": 128], to: file)
    }

    @Test(
        "a backup is restored with its users, whatever keeps the data there", .timeLimit(.minutes(1)),
        arguments: [true, false])
    func restore(_ isAppendOnly: Bool) async throws {
        try await RedisEngineTests.withEngine { source in
            let expected = try Self.fill(source)
            try source.session.call(\.enable_root, ["password": "rootpw"])
            let file = open(source.root + "/backup", O_RDWR | O_CREAT, 0o600)
            defer { close(file) }
            let result = try Self.backup(source, to: file)
            try source.run("ann", "pw", ["SET", "later", "1"])

            let target = try RedisEngine(root: String(source.root.dropLast(2)), name: "j")
            defer { target.stop() }
            let restorer = try BackupSession(target.config, image: PluginImage.redisRDB)
            let request: JSON = ["type": "full", "position": result["position"] ?? .null, "memory_mb": 128]
            lseek(file, 0, Int32(SEEK_SET))
            try restorer.restore(request, from: file)
            try restorer.postRestore(request)
            try target.prepare(["restored": true], overrides: ["appendonly": .bool(isAppendOnly)])
            try target.start()
            for _ in 0..<2 {
                #expect(try Self.digest(target) == expected)
                #expect(try target.run("ann", "pw", ["EXISTS", "later"]) == "0\n")
                #expect(try target.session.call(\.root_status) == ["enabled": false])
                #expect(throws: TestProblem.self) { try target.run("default", "rootpw", ["PING"]) }
                target.stop()
                try target.start()
            }
            let old = try source.session.call(\.backup_access).text("password")
            #expect(throws: TestProblem.self) { try target.run("os_admin", old, ["PING"]) }
        }
    }

    @Test("an empty instance is backed up and restored")
    func empty() async throws {
        try await RedisEngineTests.withEngine { source in
            let file = open(source.root + "/backup", O_RDWR | O_CREAT, 0o600)
            defer { close(file) }
            let result = try Self.backup(source, to: file)
            let target = try RedisEngine(root: String(source.root.dropLast(2)), name: "j")
            defer { target.stop() }
            let restorer = try BackupSession(target.config, image: PluginImage.redisRDB)
            let request: JSON = ["type": "full", "position": result["position"] ?? .null, "memory_mb": 128]
            lseek(file, 0, Int32(SEEK_SET))
            try restorer.restore(request, from: file)
            try restorer.postRestore(request)
            try target.prepare(["restored": true])
            try target.start()
            #expect(try target.session.status().status == 1)
        }
    }

    @Test("a stream that is no backup, is cut short or was changed is refused")
    func broken() async throws {
        try await RedisEngineTests.withEngine { source in
            _ = try Self.fill(source)
            let file = open(source.root + "/backup", O_RDWR | O_CREAT, 0o600)
            defer { close(file) }
            let result = try Self.backup(source, to: file)
            #expect(EngineTests.status { _ = try Self.incremental(source, file) } == 4)
            let position = result["position"] ?? .null
            let size = lseek(file, 0, Int32(SEEK_END))
            let target = try RedisEngine(root: String(source.root.dropLast(2)), name: "j")
            let restorer = try BackupSession(target.config, image: PluginImage.redisRDB)
            func restore(_ position: JSON) -> Int32? {
                lseek(file, 0, Int32(SEEK_SET))
                let request: JSON = ["type": "full", "position": position, "memory_mb": 128]
                return EngineTests.status {
                    try restorer.restore(request, from: file)
                    try restorer.postRestore(request)
                }
            }
            #expect(restore(position) == 0)
            // A changed byte in the middle is the checksum's to find.
            var byte: UInt8 = 0
            pread(file, &byte, 1, size / 2)
            byte ^= 0x55
            pwrite(file, &byte, 1, size / 2)
            #expect(restore(position) == 1)
            for length in [size - 1, size / 2, 20, 5, 0] {
                ftruncate(file, length)
                #expect(restore(position) == 1, "\(length) bytes")
                #expect(restore(.null) == 1, "\(length) bytes, of which nobody knows how many there should be")
            }
        }
    }

    private static func incremental(_ engine: RedisEngine, _ file: Int32) throws -> JSON {
        let access = try engine.session.call(\.backup_access)
        let strategy = try BackupSession(engine.config.adding("access", access), image: PluginImage.redisRDB)
        return try strategy.backup(["type": "incremental", "memory_mb": 128], to: file)
    }

    @Test(
        "turning the log of changes off and on loses nothing, while running and by a restart", .timeLimit(.minutes(1)))
    func persistence() async throws {
        try await RedisEngineTests.withEngine { engine in
            let expected = try Self.fill(engine)
            func apply(_ value: Bool) throws -> JSON {
                try engine.session.call(
                    \.apply_configuration,
                    [
                        "values": ["appendonly": .bool(value)],
                        "config_contents": .string(try RedisEngine.configuration(["appendonly": .bool(value)])),
                    ])
            }
            let log = engine.root + "/data/appendonlydir/appendonly.aof.manifest"
            for isOn in [false, true] {
                for _ in 0..<2 { #expect(try apply(isOn) == ["restart_required": []]) }
                #expect((access(log, F_OK) == 0) == isOn)
                let points = isOn ? "save\n\n" : "save\n3600 1 300 100 60 10000\n"
                try engine.session.call(\.enable_root, ["password": "r"])
                #expect(try engine.run("default", "r", ["CONFIG", "GET", "save"]) == points)
                engine.stop(SIGKILL)
                try engine.start()
                #expect(try Self.digest(engine) == expected)
            }
            // The configuration alone is changed, and the engine started with it.
            for isOn in [false, true] {
                engine.stop()
                try engine.prepare(overrides: ["appendonly": .bool(isOn)])
                try engine.start()
                #expect((access(log, F_OK) == 0) == isOn)
                #expect(try Self.digest(engine) == expected)
            }
        }
    }

    @Test("values are taken while running, or named as waiting for a restart")
    func configuration() async throws {
        try await RedisEngineTests.withEngine { engine in
            func apply(_ values: JSON, _ overrides: JSON) throws -> JSON {
                try engine.session.call(
                    \.apply_configuration,
                    ["values": values, "config_contents": .string(try RedisEngine.configuration(overrides))])
            }
            try engine.session.call(\.enable_root, ["password": "r"])
            func value(_ name: String) throws -> String {
                String(try engine.run("default", "r", ["CONFIG", "GET", name]).split(separator: "\n").last ?? "")
            }
            let overrides: JSON = ["maxmemory-policy": "allkeys-lru", "timeout": 77, "databases": 32]
            for _ in 0..<2 { #expect(try apply(overrides, overrides) == ["restart_required": ["databases"]]) }
            #expect(try value("maxmemory-policy") == "allkeys-lru" && value("timeout") == "77")
            #expect(try value("databases") == "16")
            engine.stop()
            try engine.start()
            #expect(try value("timeout") == "77" && value("databases") == "32")
            try engine.run("default", "r", ["-n", "20", "SET", "k", "v"])
            let less: JSON = ["databases": 16]
            #expect(EngineTests.status { _ = try apply(less, less) } == 5)
            #expect(try apply(["timeout": .null, "maxmemory-policy": .null], less) == ["restart_required": []])
            #expect(try value("maxmemory-policy") == "noeviction" && value("timeout") == "0")
            #expect(EngineTests.status { _ = try apply(["port": 1], [:]) } == 1)
            #expect(EngineTests.status { _ = try apply(["timeout": "x\nport 1"], [:]) } == 1)
            let logs = try engine.session.call(\.list_logs).list("logs")
            #expect(logs.compactMap { $0["name"]?.stringValue } == ["engine"])
            #expect(engine.session.table.set_log == nil)
        }
    }
}
