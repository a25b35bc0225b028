// SPDX-License-Identifier: Apache-2.0

import CTrovePlugin
import Testing
import TrovePluginKit

@Suite("PostgreSQL's policy")
struct PostgreSQLPolicyTests {
    static func refusal(_ more: [String: JSON]) throws -> String? {
        let request = JSON.object(
            [
                "version": "15", "memory_mb": 512, "vcpus": 1, "volume_gib": 1, "databases": [], "users": [],
            ].merging(more) { _, new in new })
        do {
            _ = try Policy.call(\.validate_create, request, image: PluginImage.postgreSQL)
            return nil
        } catch let failure as CallFailure {
            #expect(failure.status == 1)
            return failure.message
        }
    }

    @Test("a sound request passes")
    func sound() throws {
        let user: JSON = ["name": "ann", "password": "p", "host": "%", "databases": [["name": "shop"]]]
        #expect(
            try Self.refusal([
                "databases": [["name": "shop", "character_set": "utf8", "collate": "C.UTF-8"]], "users": [user],
                "configuration": ["max_connections": 50, "jit": true, "random_page_cost": .double(1.1)],
            ]) == nil)
    }

    @Test(
        "databases that cannot be made are refused",
        arguments: ["postgres", "Postgres", "os_admin", "template0", "", "a\u{0}", "a\nb"]
            + [String(repeating: "x", count: 64), String(repeating: "é", count: 32)])
    func badDatabases(_ name: String) throws {
        #expect(try Self.refusal(["databases": [["name": .string(name)]]]) != nil)
    }

    @Test(
        "users that cannot be made are refused",
        arguments: ["postgres", "os_admin", "pg_read_all_data", "trove_owner_5", "public", "none", "", "a\u{0}"])
    func badUsers(_ name: String) throws {
        #expect(try Self.refusal(["users": [["name": .string(name), "password": "p"]]]) != nil)
    }

    @Test("a host is refused with a sentence that tells why")
    func hosts() throws {
        let message = try Self.refusal(["users": [["name": "ann", "password": "p", "host": "10.0.0.1"]]])
        #expect(message?.contains("10.0.0.1") == true && message?.contains("'%'") == true)
    }

    @Test("character sets that there are not, and collations of others, are refused")
    func characterSets() throws {
        func refusal(_ more: [String: JSON]) throws -> String? {
            try Self.refusal(["databases": [.object(more.merging(["name": "a"]) { $1 })]])
        }
        for set in ["latin1", "UTF8", "utf-8", "SQL_ASCII"] {
            #expect(try refusal(["character_set": .string(set)]) == nil, "\(set)")
        }
        #expect(
            try refusal(["character_set": "utf8mb4"]) == "Character set \"utf8mb4\" is not one that the engine has.")
        for collate in ["C", "POSIX", "de_DE.UTF-8", "en_US.utf8", "de_DE@euro"] {
            #expect(try refusal(["collate": .string(collate)]) == nil, "\(collate)")
        }
        for collate in ["", "a'b", "C.UTF-8;"] {
            #expect(try refusal(["collate": .string(collate)]) != nil, "\(collate)")
        }
        #expect(
            try refusal(["character_set": "latin1", "collate": "de_DE.UTF-8"])
                == "Collation \"de_DE.UTF-8\" does not fit character set \"latin1\".")
    }

    @Test(
        "parameters that cannot be set, and values that they do not take, are refused by name",
        arguments: [
            ("listen_addresses", "*"), ("max_connections", 5), ("max_connections", "many"), ("shared_buffers", 65536),
            ("timezone", "a'b"), ("jit", "on"),
            ("include", "/etc/passwd"), ("random_page_cost", .int(-1)), ("log_statement", "some"), ("timezone", "a\nb"),
            ("fsync", false), ("work_mem", .double(1.5)),
        ] as [(String, JSON)])
    func parameters(_ name: String, _ value: JSON) throws {
        #expect(try Self.refusal(["configuration": .object([name: value])])?.contains("'\(name)'") == true)
    }

    @Test("a configuration follows the size, and overrides win")
    func configuration() throws {
        let small = try PostgreSQLEngine.configuration(memoryMiB: 512)
        #expect(small.contains("shared_buffers = '128MB'\n"))
        let large = try PostgreSQLEngine.configuration(
            memoryMiB: 8192, overrides: ["work_mem": 4096, "timezone": "Europe/Zurich"])
        #expect(large.contains("shared_buffers = '2048MB'\n") && large.contains("work_mem = '4096'\n"))
        #expect(large.contains("timezone = 'Europe/Zurich'\n"))
        #expect(large.split(separator: "\n").count { $0.hasPrefix("work_mem ") } == 1)
    }

    @Test("the log is not kept larger than it may grow")
    func logSizes() throws {
        let both: JSON = ["min_wal_size": 512, "max_wal_size": 256]
        #expect(try Self.refusal(["configuration": both])?.contains("'max_wal_size'") == true)
    }

    @Test("releases of one major version are upgrades, others are refused with the way to go")
    func upgrades() throws {
        func plan(_ from: String, _ to: String) throws -> JSON {
            try Policy.call(
                \.plan_upgrade, ["from": .string(from), "to": .string(to)], image: PluginImage.postgreSQL)
        }
        #expect(try plan("15", "15.18")["reversible"] == true)
        do {
            _ = try plan("15", "16")
            Issue.record("a major upgrade was planned")
        } catch let failure as CallFailure {
            #expect(failure.status == 5 && failure.message.contains("dump"))
        }
    }

    @Test("requirements name the programs of the version")
    func requirements() throws {
        let found = try Policy.call(\.requirements, ["version": "15"], image: PluginImage.postgreSQL)
        #expect(found["ports"] == [5432] && found["has_template"] == true)
        #expect(try found.list("programs").contains("/usr/lib/postgresql/15/bin/postgres"))
        for version in ["../15", "1", "15.", "15.2.1", "x", ""] {
            #expect(throws: CallFailure.self) {
                try Policy.call(\.requirements, ["version": .string(version)], image: PluginImage.postgreSQL)
            }
        }
    }
}
