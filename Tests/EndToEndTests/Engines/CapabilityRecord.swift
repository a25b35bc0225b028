// SPDX-License-Identifier: Apache-2.0

import Foundation
import Model
import Synchronization

/// What the engines did in this run, for `docs/engines.md`.
///
/// Shape: `{"verbs": [text], "engines": [{"datastore", "version", "outcomes": {verb: {"result": "works",
/// "refused" or "pointless", "status"°, "message"°}}, "plugins": [{"id", "functions": {name: bool}}]}]}`.
enum CapabilityRecord {
    private struct Entry {
        var outcomes: [EngineVerb: EngineRun.Outcome] = [:]
        var plugins: [JSONValue] = []
    }

    private static let entries = Mutex<[String: Entry]>([:])

    static let path = Build.folder + "/capabilities.json"

    static func keep(_ run: EngineRun) {
        let outcomes = run.state.withLock { $0.outcomes }
        entries.withLock { $0[run.engine.datastore, default: Entry()].outcomes = outcomes }
    }

    /// Keeps what a report of the conformance kit says a plugin has.
    static func keep(_ report: JSONValue, of engine: EngineUnderTest) {
        let plugin: JSONValue = [
            "id": report["plugin"]?["id"] ?? .null, "functions": report["capabilities"] ?? [:],
        ]
        entries.withLock { $0[engine.datastore, default: Entry()].plugins.append(plugin) }
    }

    /// What the plugin of the engine says it has; nil when it was not asked.
    static func functions(of engine: EngineUnderTest) -> JSONValue? {
        entries.withLock { $0[engine.datastore]?.plugins.first?["functions"] }
    }

    static func outcomes(of engine: EngineUnderTest) -> [EngineVerb: EngineRun.Outcome] {
        entries.withLock { $0[engine.datastore]?.outcomes ?? [:] }
    }

    /// Writes the file; false when some engine was not asked everything.
    static func write() throws -> Bool {
        let all = entries.withLock { $0 }
        let engines = EngineUnderTest.all.compactMap { engine -> JSONValue? in
            guard let entry = all[engine.datastore], entry.outcomes.count == EngineVerb.allCases.count,
                entry.plugins.count == engine.plugins.count
            else { return nil }
            return [
                "datastore": .string(engine.datastore), "version": .string(engine.version),
                "outcomes": .object(
                    Dictionary(uniqueKeysWithValues: entry.outcomes.map { ($0.key.rawValue, view($0.value)) })),
                "plugins": .array(entry.plugins),
            ]
        }
        guard engines.count == EngineUnderTest.all.count else { return false }
        let document: JSONValue = [
            "verbs": .array(EngineVerb.allCases.map { .string($0.rawValue) }), "engines": .array(engines),
        ]
        try Data(document.serialized).write(to: URL(fileURLWithPath: path), options: .atomic)
        return true
    }

    private static func view(_ outcome: EngineRun.Outcome) -> JSONValue {
        switch outcome {
        case .works: ["result": "works"]
        case .pointless: ["result": "pointless"]
        case .refused(let status, let message):
            // Without what the client adds: status and request id.
            [
                "result": "refused", "status": .int(Int64(status)),
                "message": .string(message.components(separatedBy: " (HTTP ")[0]),
            ]
        }
    }
}
