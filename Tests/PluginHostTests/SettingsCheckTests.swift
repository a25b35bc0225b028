// SPDX-License-Identifier: Apache-2.0

import Foundation
import Model
import Testing

@testable import PluginHost

@Suite("settings of plugins")
struct SettingsCheckTests {
    private static let schema =
        #"{"type": "object", "properties": {"level": {"type": "integer", "minimum": 1}}, "additionalProperties": false}"#

    private func load(
        schema: String?, settings: JSONValue?, name: JSONValue = "config.schema.json"
    ) async throws -> (plugins: Int, refusal: PluginRefusal?) {
        var result: (plugins: Int, refusal: PluginRefusal?) = (0, nil)
        try await withPlugins { fixture in
            try fixture.install("good", PluginSource.datastore, provides: PluginFixture.guest) {
                $0["config_schema"] = name
            }
            if let schema {
                let path = fixture.root + "/good/config.schema.json"
                try schema.write(toFile: path, atomically: true, encoding: .utf8)
                chmod(path, 0o644)
            }
            let registry = PluginRegistry(
                configuration: fixture.configuration(
                    .guest, enabled: ["test.good"], settings: settings.map { ["test.good": $0] } ?? [:]))
            try registry.load()
            defer { registry.shutdown() }
            result = (registry.plugins.count, registry.refusals.first)
        }
        return result
    }

    @Test("settings that fit, and none, are taken", arguments: [["level": 3], nil] as [JSONValue?])
    func fits(_ settings: JSONValue?) async throws {
        #expect(try await load(schema: Self.schema, settings: settings).plugins == 1)
    }

    @Test("what does not fit is refused before the code is mapped, naming the member")
    func refused() async throws {
        let result = try await load(schema: Self.schema, settings: ["level": 0, "other": true])
        #expect(result.plugins == 0 && result.refusal?.cause == .settings)
        #expect(result.refusal?.message.contains("configuration.test.good") == true, "\(String(describing: result))")
    }

    @Test("a schema that is missing, no schema, or elsewhere is the plugin's fault")
    func broken() async throws {
        #expect(try await load(schema: nil, settings: nil).refusal?.cause == .notFound)
        #expect(try await load(schema: #"{"type": 3}"#, settings: nil).refusal?.cause == .manifest)
        #expect(try await load(schema: Self.schema, settings: nil, name: "../x.json").refusal?.cause == .manifest)
    }
}
