// SPDX-License-Identifier: Apache-2.0

import CTrovePlugin
import Testing
import TrovePluginKit

extension PostgreSQLTests {
    @Suite("configuration", .serialized)
    struct ConfigurationTests {
        @Test("changed values are in use at once or after a restart, and what the engine refuses changes nothing")
        func apply() async throws {
            try await PostgreSQLEngine.with { engine in
                func apply(_ values: JSON, _ overrides: JSON) throws -> JSON {
                    let contents = try PostgreSQLEngine.configuration(overrides: overrides)
                    let request: JSON = ["values": values, "config_contents": .string(contents)]
                    return try engine.session.call(\.apply_configuration, request)
                }
                func show(_ name: String) throws -> String { try engine.administer("SHOW \(name)") }
                let both: JSON = ["work_mem": 1234, "max_connections": 44]
                for _ in 0..<2 { #expect(try apply(both, both) == ["restart_required": ["max_connections"]]) }
                #expect(try show("work_mem") == "1234kB\n")
                #expect(try show("max_connections") == "64\n")
                engine.stop()
                try engine.reopen()
                _ = try engine.start()
                #expect(try show("max_connections") == "44\n")
                // A group's value wins over one that a superuser set before.
                try engine.administer("ALTER SYSTEM SET work_mem = '9MB'")
                #expect(try apply(["work_mem": 2345], ["work_mem": 2345]) == ["restart_required": []])
                #expect(try show("work_mem") == "2345kB\n")
                do {
                    _ = try apply(["timezone": "Mars/Olympus"], ["timezone": "Mars/Olympus"])
                    Issue.record("an unknown time zone was taken")
                } catch let failure as CallFailure {
                    #expect(failure.status == 1 && failure.message.contains("'timezone'"))
                }
                for value: JSON in [["port": 1], ["work_mem": "x"], ["shared_buffers": 65536]] {
                    #expect(PostgreSQLEngine.status { _ = try apply(value, [:]) } == 1)
                }
                #expect(
                    try apply(["work_mem": .null, "max_connections": .null], [:]) == [
                        "restart_required": ["max_connections"]
                    ])
                #expect(try show("work_mem") == "4MB\n")
                engine.stop()
                // One that is down has everything with its next start.
                #expect(try apply(["work_mem": 3456], ["work_mem": 3456]) == ["restart_required": ["work_mem"]])
                _ = try engine.start()
                #expect(try show("max_connections") == "64\n")
                #expect(try show("work_mem") == "3456kB\n")
            }
        }

        @Test("what the plugin emits keeps to the schemas")
        func schemas() async throws {
            let checker = try SchemaChecker.load()
            func policy(_ function: KeyPath<trove_datastore_policy_1, Policy.Function?>, _ request: JSON) throws -> JSON
            {
                try Policy.call(function, request, image: PluginImage.postgreSQL)
            }
            #expect(checker.problems(try policy(\.requirements, ["version": "15"]), "requirements") == [])
            #expect(checker.problems(try policy(\.parameters, ["version": "15"]), "parameters") == [])
            #expect(checker.problems(try policy(\.plan_upgrade, ["from": "15", "to": "15"]), "upgrade-plan") == [])
            try await PostgreSQLEngine.with { engine in
                let session = engine.session
                #expect(checker.problems(engine.config, "instance") == [])
                #expect(checker.problems(try session.call(\.launch), "launch") == [])
                #expect(checker.problems(try session.call(\.backup_access), "backup-access") == [])
                #expect(checker.problems(try session.call(\.list_logs), "log-list") == [])
                try session.call(\.create_databases, ["databases": [["name": "a"]]])
                try session.call(
                    \.create_users, ["users": [["name": "u", "password": "p", "databases": [["name": "a"]]]]])
                #expect(checker.problems(try session.call(\.list_databases), "database-page") == [])
                #expect(checker.problems(try session.call(\.list_users), "user-page") == [])
                #expect(checker.problems(try session.call(\.get_user, ["name": "u"]), "user-view") == [])
            }
        }

        @Test("the catalogue says of each parameter what the engine says")
        func catalogue() async throws {
            try await PostgreSQLEngine.with { engine in
                let found = try Policy.call(\.parameters, ["version": "15"], image: PluginImage.postgreSQL)
                let parameters = try found.list("parameters")
                #expect(parameters.count >= 25)
                for parameter in parameters {
                    let name = try parameter.text("name")
                    let row = try engine.administer(
                        """
                        SELECT vartype, context = 'postmaster', coalesce(min_val::float8 <= \(number(parameter, "minimum")) \
                        AND max_val::float8 >= \(number(parameter, "maximum")), true), \
                        coalesce(enumvals @> \(words(parameter)), true) FROM pg_settings WHERE lower(name) = '\(name)'
                        """)
                    let kinds = [
                        "integer": "integer", "real": "float", "bool": "boolean", "enum": "string", "string": "string",
                    ]
                    let fields = row.split(separator: "|").map(String.init)
                    #expect(fields.count == 4, "\(name) is not the engine's")
                    #expect(kinds[fields.first ?? ""] == parameter["type"]?.stringValue, "\(name)")
                    let isStatic = parameter["restart_required"] == true ? "t" : "f"
                    #expect(fields.dropFirst() == [isStatic, "t", "t\n"], "\(name)")
                }
            }
        }

        private func number(_ parameter: JSON, _ key: String) -> String { parameter[key]?.text ?? "NULL" }

        private func words(_ parameter: JSON) -> String {
            let words = parameter["enum"]?.arrayValue?.compactMap(\.stringValue) ?? []
            return "ARRAY[" + words.map { "'\($0)'" }.joined(separator: ",") + "]::text[]"
        }

        @Test("a release of the same major version takes the data, another does not; the log is named")
        func upgradeAndLogs() async throws {
            try await PostgreSQLEngine.with { engine in
                let contents = try PostgreSQLEngine.configuration(overrides: ["work_mem": 3456])
                engine.stop()
                let request: JSON = ["from": "15", "to": "15.18", "config_contents": .string(contents)]
                for _ in 0..<2 { try engine.session.call(\.upgrade, request) }
                #expect(
                    PostgreSQLEngine.status { try engine.session.call(\.upgrade, ["from": "15", "to": "16"]) } == 5)
                _ = try engine.start()
                #expect(try engine.administer("SHOW work_mem") == "3456kB\n")
                let logs = try engine.session.call(\.list_logs).list("logs")
                #expect(logs.map { $0["name"] } == ["engine", "general"])
                #expect(logs.allSatisfy { $0["file"] == .string(engine.root + "/log/engine.log") })
                #expect(logs[1]["enabled"] == false)
                #expect(
                    try engine.session.call(\.set_log, ["name": "general", "enabled": true])["restart_required"]
                        == false)
                #expect(try engine.session.call(\.list_logs).list("logs")[1]["enabled"] == true)
                #expect(try engine.administer("SHOW log_statement") == "all\n")
            }
        }
    }
}
