// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import StateStore

@Suite("plugins' values")
struct PluginValueRepositoryTests {
    @Test("values are replaced under new revisions, which are never given twice", arguments: Driver.allCases)
    func revisions(driver: Driver) async throws {
        try await Fixture.with(driver) { fixture in
            try await fixture.store.write(.relaxed) { transaction in
                let values = transaction.pluginValues
                let first = try values.put(pluginID: "p", key: "a", value: "one")
                let second = try values.put(pluginID: "p", key: "a", value: "two")
                #expect(second > first)
                #expect(
                    try values.find(pluginID: "p", key: "a") == PluginValueRecord(value: "two", revision: second))
                #expect(try values.find(pluginID: "q", key: "a") == nil)
                try values.remove(pluginID: "p", key: "a")
                try values.remove(pluginID: "p", key: "a")
                #expect(try values.count(pluginID: "p") == 0)
                #expect(try values.put(pluginID: "p", key: "a", value: "three") > second)
            }
        }
    }

    @Test(
        "keys are listed in byte order by prefix and page; quotes and wildcards are letters like others",
        arguments: Driver.allCases)
    func list(driver: Driver) async throws {
        try await Fixture.with(driver) { fixture in
            try await fixture.store.write(.relaxed) { transaction in
                let values = transaction.pluginValues
                for key in ["b", "a%", "a_", "aZ", "a'", "a~", "A"] {
                    _ = try values.put(pluginID: "p", key: key, value: "")
                }
                _ = try values.put(pluginID: "q", key: "a", value: "")
                func keys(_ prefix: String, _ after: String? = nil, _ limit: Int = 10) throws -> [String] {
                    try values.list(pluginID: "p", prefix: prefix, after: after, limit: limit).map(\.key)
                }
                #expect(try keys("") == ["A", "a%", "a'", "aZ", "a_", "a~", "b"])
                #expect(try keys("a") == ["a%", "a'", "aZ", "a_", "a~"])
                #expect(try keys("a%") == ["a%"])
                #expect(try keys("a", "a'", 2) == ["aZ", "a_"])
            }
        }
    }
}
