// SPDX-License-Identifier: Apache-2.0

import CTrovePlugin
import TestSupport
import Testing
import TrovePluginKit

/// Configuration, logs and upgrades of a real server.
@Suite("MariaDB's maintenance", .enabled(if: Engine.isInstalled), .serialized)
struct MaintenanceTests {
    @Test("values are taken while running, or named as waiting for a restart")
    func configuration() async throws {
        try await EngineTests.withEngine { engine in
            func apply(_ values: JSON, _ overrides: JSON) throws -> JSON {
                try engine.session.call(
                    \.apply_configuration,
                    [
                        "values": values,
                        "config_contents": .string(try Policy.configuration(memoryMiB: 512, overrides: overrides)),
                    ])
            }
            try engine.session.call(\.enable_root, ["password": "r"])
            func value(_ name: String) throws -> String { try engine.query("root", "r", "SELECT @@global.\(name)") }
            let overrides: JSON = [
                "max-connections": 41, "sql_mode": "ANSI_QUOTES,NO_ZERO_DATE", "long_query_time": .double(0.5),
                "back_log": 61, "local_infile": false,
            ]
            for _ in 0..<2 {
                let result = try apply(overrides, overrides)
                #expect(result == ["restart_required": ["back_log"]])
            }
            #expect(try value("max_connections") == "41\n" && value("long_query_time") == "0.500000\n")
            #expect(try value("local_infile") == "0\n" && value("sql_mode").contains("ANSI_QUOTES"))
            engine.stop()
            _ = try engine.start()
            #expect(try value("back_log") == "61\n" && value("max_connections") == "41\n")
            #expect(try apply(["max-connections": .null], [:]) == ["restart_required": []])
            #expect(try value("max_connections") == "100\n")
            for bad: JSON in [["datadir": "/"], ["no_such_thing": 1], ["sql_mode": "NO_SUCH_MODE"]] {
                let overrides: JSON = bad["datadir"] == nil ? bad : [:]
                #expect(EngineTests.status { _ = try apply(bad, overrides) } == 1, "\(bad.text)")
            }
            engine.stop()
            // One that is down has everything with its next start.
            let down: JSON = ["max_connections": 43]
            #expect(try apply(down, down) == ["restart_required": ["max_connections"]])
            _ = try engine.start()
            #expect(try value("max_connections") == "43\n")
        }
    }

    @Test("logs are listed, and turned on and off for good")
    func logs() async throws {
        try await EngineTests.withEngine { engine in
            let emitted = try engine.session.call(\.list_logs)
            #expect(try SchemaChecker.load().problems(emitted, "log-list") == [])
            #expect(try emitted.list("logs").map { try $0.text("name") } == ["error", "general", "slow_query"])
            let on: JSON = ["name": "general", "enabled": true]
            for _ in 0..<2 { #expect(try engine.session.call(\.set_log, on) == ["restart_required": false]) }
            try engine.session.call(\.enable_root, ["password": "r"])
            try engine.query("root", "r", "SELECT 'in the log'")
            let file = try emitted.list("logs")[1].text("file")
            #expect(try PluginFiles.read(file)?.contains("SELECT 'in the log'") == true)
            engine.stop()
            _ = try engine.start()
            let second = try engine.session.call(\.list_logs).list("logs")
            #expect(second.map { $0["enabled"] } == [true, true, false])
            try engine.session.call(\.set_log, ["name": "general", "enabled": false])
            #expect(try engine.query("root", "r", "SELECT @@general_log") == "0\n")
            #expect(
                EngineTests.status { try engine.session.call(\.set_log, ["name": "error", "enabled": false]) } == 1)
            #expect(EngineTests.status { try engine.session.call(\.set_log, ["name": "x", "enabled": false]) } == 2)
        }
    }

    @Test("an upgrade within the series brings the system tables to the new version, and may be repeated")
    func upgrade() async throws {
        try await EngineTests.withEngine { engine in
            let request: JSON = [
                "from": "10.11", "to": "10.11",
                "config_contents": .string(
                    try Policy.configuration(memoryMiB: 512, overrides: ["max_connections": 44])),
            ]
            #expect(engine.session.table.pre_upgrade == nil)
            engine.stop()
            try engine.session.call(\.upgrade, request)
            _ = try engine.start()
            for _ in 0..<2 { try engine.session.call(\.post_upgrade, request) }
            #expect(try engine.session.status().status == 1)
            #expect(try PluginFiles.read(engine.root + "/run/upgrade.cnf") == nil)
        }
    }

    @Test("the catalogue keeps to its schema, and every parameter of it is one that the server has")
    func catalogue() async throws {
        let emitted = try Policy.call(\.parameters, ["version": "10.11"])
        #expect(try SchemaChecker.load().problems(emitted, "parameters") == [])
        let parameters = try emitted.list("parameters")
        #expect(parameters.count >= 30)
        try await EngineTests.withEngine { engine in
            try engine.session.call(\.enable_root, ["password": "r"])
            for parameter in parameters {
                let name = try parameter.text("name")
                // What cannot be set while the server runs says so (error 1238), and nothing else does.
                let variable = name == "transaction_isolation" ? "tx_isolation" : name
                let known = try engine.query("root", "r", "SHOW GLOBAL VARIABLES LIKE '\(variable)'")
                #expect(!known.isEmpty, "\(name)")
            }
        }
    }

    @Test("upgrades stay within a series and go forward")
    func plan() throws {
        func status(_ from: String, _ to: String) -> Int32? {
            EngineTests.status { _ = try Policy.call(\.plan_upgrade, ["from": .string(from), "to": .string(to)]) }
        }
        #expect(status("10.11", "10.11") == 0 && status("10.11.6", "10.11.11") == 0)
        #expect(status("10.11", "11.4") == 5 && status("10.11.11", "10.11.6") == 5 && status("10.11", "x") == 5)
    }
}
