// SPDX-License-Identifier: Apache-2.0

import Foundation
import Model
import Testing

extension EndToEnd {
    /// Every verb with every engine, through the unmodified client. The verbs of an engine build on one another: a suite runs
    /// whole.
    @Suite("Engines", .serialized)
    enum Engines {
        private static func perform(_ verb: EngineVerb) async throws {
            try await #require(EngineRun.current).perform(verb)
        }

        @Suite("MariaDB", .serialized, .engine(.mariadb))
        struct MariaDBTests {
            @Test("openstack database", .timeLimit(.minutes(5)), arguments: EngineVerb.allCases)
            func verb(_ verb: EngineVerb) async throws { try await perform(verb) }
        }

        @Suite("PostgreSQL", .serialized, .engine(.postgresql))
        struct PostgreSQLTests {
            @Test("openstack database", .timeLimit(.minutes(5)), arguments: EngineVerb.allCases)
            func verb(_ verb: EngineVerb) async throws { try await perform(verb) }
        }

        @Suite("Redis", .serialized, .engine(.redis))
        struct RedisTests {
            @Test("openstack database", .timeLimit(.minutes(5)), arguments: EngineVerb.allCases)
            func verb(_ verb: EngineVerb) async throws { try await perform(verb) }
        }

        @Suite("memcached", .serialized, .engine(.memcached))
        struct MemcachedTests {
            @Test("openstack database", .timeLimit(.minutes(5)), arguments: EngineVerb.allCases)
            func verb(_ verb: EngineVerb) async throws { try await perform(verb) }
        }

        /// The conformance kit with a real engine.
        @Suite("trove plugin check --engine", .serialized)
        struct CheckTests {
            @Test(
                "finds nothing", .enabled(if: Build.isRoot, "an engine runs as a user of its own"),
                .timeLimit(.minutes(5)), arguments: EngineUnderTest.all)
            func findsNothing(_ engine: EngineUnderTest) async throws {
                try await engine.build()
                var words = ["--engine"]
                if let backup = engine.backupPlugin { words += ["--backup", backup] }
                try await check(engine.plugin, words, engine)
                if let backup = engine.backupPlugin { try await check(backup, [], engine) }
            }

            private func check(_ plugin: String, _ words: [String], _ engine: EngineUnderTest) async throws {
                let result = try await Command.run(
                    [Build.trove, "plugin", "check", plugin, "--json", "-"] + words, seconds: 280)
                let report = try JSONValue(parsing: result.output)
                let findings = (report["checks"]?.arrayValue ?? []).filter { $0["outcome"] == "failed" }
                #expect(findings.isEmpty)
                #expect(report["passed"] == true && result.status == 0, "\(result.errors)")
                CapabilityRecord.keep(report, of: engine)
            }
        }

        @Suite("The table", .serialized)
        struct TableTests {
            @Test(
                "a verb is refused with 501 exactly where the plugin's table has no function for it",
                arguments: EngineUnderTest.all)
            func originOfRefusals(_ engine: EngineUnderTest) throws {
                let outcomes = CapabilityRecord.outcomes(of: engine)
                guard let functions = CapabilityRecord.functions(of: engine), !outcomes.isEmpty else {
                    try Test.cancel("the other suites of this room did not run")
                }
                for (verb, outcome) in outcomes where !verb.functions.isEmpty {
                    let isThere = verb.functions.allSatisfy { functions["datastore.\($0)"]?.boolValue == true }
                    if case .refused(status: 501, _) = outcome {
                        #expect(!isThere, "\(engine.datastore): \(verb.rawValue)")
                    } else {
                        #expect(isThere, "\(engine.datastore): \(verb.rawValue)")
                    }
                }
            }

            @Test("docs/engines.md is what this run gives")
            func document() async throws {
                guard try CapabilityRecord.write() else { try Test.cancel("the other suites of this room did not run") }
                let compared = try await Command.run(
                    ["\(Build.root)/scripts/capabilities", "--check", CapabilityRecord.path])
                #expect(compared.status == 0, "\(compared.output)\(compared.errors)")
            }
        }
    }
}

extension EngineUnderTest: CustomTestStringConvertible {
    var testDescription: String { datastore }
}
