// SPDX-License-Identifier: Apache-2.0

import CTrovePlugin
import Testing
import TrovePluginKit

@Suite("MariaDB's policy")
struct PolicyTests {
    static func refusal(_ more: [String: JSON]) throws -> String? {
        let request = JSON.object(
            [
                "version": "10.11", "memory_mb": 512, "vcpus": 1, "volume_gib": 1, "databases": [], "users": [],
            ].merging(more) { _, new in new })
        do {
            _ = try Policy.call(\.validate_create, request)
            return nil
        } catch let failure as CallFailure {
            #expect(failure.status == 1)
            return failure.message
        }
    }

    @Test("a sound request passes")
    func sound() throws {
        let user: JSON = [
            "name": "ann", "password": "p", "host": "10.0.0.%", "databases": [["name": "shop"]],
        ]
        #expect(
            try Self.refusal([
                "databases": [["name": "shop", "character_set": "utf8mb4", "collate": "utf8mb4_bin"]], "users": [user],
                "configuration": ["max-connections": 10],
            ]) == nil)
    }

    @Test(
        "databases that cannot be made are refused",
        arguments: [
            "mysql", "MySQL", "information_schema", "performance_schema", "", "a\u{0}", "a\nb", "x ", "#mysql50#x",
        ]
            + [String(repeating: "x", count: 65)])
    func badDatabases(_ name: String) throws {
        #expect(try Self.refusal(["databases": [["name": .string(name)]]]) != nil)
    }

    @Test("character sets that there are not, and collations of others, are refused")
    func characterSets() throws {
        func refusal(_ more: [String: JSON]) throws -> String? {
            try Self.refusal(["databases": [.object(more.merging(["name": "a"]) { $1 })]])
        }
        for set in ["latin1", "UTF8", "utf8mb4", "binary"] {
            #expect(try refusal(["character_set": .string(set)]) == nil)
        }
        for collate in ["utf8mb4_bin", "latin1_swedish_ci", "binary", "uca1400_ai_ci"] {
            #expect(try refusal(["collate": .string(collate)]) == nil, "\(collate)")
        }
        #expect(try refusal(["character_set": "utf8", "collate": "utf8mb3_bin"]) == nil)
        #expect(
            try refusal(["character_set": "klingon"]) == "Character set \"klingon\" is not one that the engine has.")
        for collate in ["klingon_ci", "utf8mb4_bin'", "uca1400_\u{e9}", ""] {
            #expect(try refusal(["collate": .string(collate)]) != nil, "\(collate)")
        }
        #expect(
            try refusal(["character_set": "latin1", "collate": "utf8mb4_bin"])
                == "Collation \"utf8mb4_bin\" does not fit character set \"latin1\".")
    }

    @Test("reserved names are named with their list")
    func reserved() throws {
        #expect(
            try Self.refusal(["databases": [["name": "mysql"]]])
                == """
                Database name "mysql" is on the reserved list: ['mysql', 'information_schema', 'performance_schema', 'sys'].
                """)
        #expect(
            try Self.refusal(["users": [["name": "root", "password": "x"]]])
                == "User name \"root\" is on the reserved list: ['os_admin', 'root'].")
    }

    @Test("users that cannot be made are refused")
    func badUsers() throws {
        let users: [JSON] = [
            ["name": "os_admin", "password": "x"], ["name": "", "password": "x"], ["name": "a", "password": ""],
            ["name": "a\u{7}", "password": "x"], ["name": "a ", "password": "x"],
            ["name": "a", "password": "x", "host": "h'"],
            ["name": .string(String(repeating: "u", count: 81)), "password": "x"],
            ["name": "a", "password": "x", "databases": [["name": "absent"]]],
        ]
        for user in users { #expect(try Self.refusal(["users": [user]]) != nil, "\(user.text)") }
    }

    @Test("equal names, too little memory and foreign settings are refused")
    func others() throws {
        #expect(try Self.refusal(["databases": [["name": "a"], ["name": "a"]]])?.hasPrefix("Two or more") == true)
        let user: JSON = ["name": "a", "password": "x"]
        #expect(try Self.refusal(["users": [user, user]])?.hasPrefix("Two or more users") == true)
        #expect(try Self.refusal(["memory_mb": 255]) != nil)
        #expect(try Self.refusal(["volume_gib": 0]) != nil)
        for key in ["datadir", "init-file", "plugin-load-add", "x y", "port"] {
            #expect(try Self.refusal(["configuration": .object([key: 1])]) != nil, "\(key)")
        }
        #expect(try Self.refusal(["configuration": ["sql_mode": "a\n[mysqld]"]]) != nil)
    }

    @Test("the buffer pool leaves room in the memory", arguments: [256, 512, 1024, 2048, 16384])
    func memory(_ size: Int) throws {
        let lines = try Policy.configuration(memoryMiB: size).split(separator: "\n")
        let pool = lines.first { $0.hasPrefix("innodb_buffer_pool_size = ") }?.split(separator: " ").last?.dropLast()
        let value = try #require(pool.flatMap { Int($0) })
        #expect(value == (size < 1024 ? size / 2 : size * 65 / 100))
        #expect(size - value >= 128)
        #expect(lines.first == "[mariadbd]")
    }

    @Test("a configuration group's value replaces the rendered one")
    func overrides() throws {
        let text = try Policy.configuration(
            memoryMiB: 512, overrides: ["max-connections": 7, "sql_mode": "A B\"", "general_log": true])
        #expect(text.contains("max_connections = 7\n") && !text.contains("max_connections = 100"))
        #expect(text.contains("sql_mode = \"A B\\\"\"\n") && text.contains("general_log = ON\n"))
    }
}
