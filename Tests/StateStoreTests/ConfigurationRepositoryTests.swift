// SPDX-License-Identifier: Apache-2.0

import Model
import Testing

@testable import StateStore

@Suite("Configuration groups in the store")
struct ConfigurationRepositoryTests {
    private static func group(_ id: String, project: String = "project-a") -> ConfigurationRecord {
        ConfigurationRecord(
            id: id, name: "name of \(id)", description: nil, projectID: project, datastoreVersionID: Fixture.versionID,
            created: Fixture.start)
    }

    @Test("a group is found with its datastore, changes, and is gone with its values", arguments: Driver.allCases)
    func life(driver: Driver) async throws {
        try await Fixture.with(driver) { fixture in
            let values: [String: JSONValue] = ["size": 5, "ratio": 1.5, "mode": "fast", "on": true]
            try await fixture.store.write(.relaxed) { transaction in
                let groups = transaction.configurations
                try groups.insert(Self.group("g1"))
                try groups.put("g1", values)
            }
            try await fixture.store.write(.relaxed) { transaction in
                let groups = transaction.configurations
                var group = try #require(try groups.find("g1"))
                #expect(group.datastoreName == "alpha")
                #expect(group.datastoreVersionName == "1.2")
                #expect(group.datastoreVersionNumber == "1.2.3")
                #expect(try groups.values("g1") == values)
                group.name = "other"
                group.description = "of two lines\nand a quote '"
                try groups.save(group, now: Fixture.start + .seconds(1))
                try groups.put("g1", ["size": 6])
                try groups.remove("g1", names: ["mode", "absent"])
            }
            try await fixture.store.read { transaction in
                let group = try #require(try transaction.configurations.find("g1"))
                #expect(group.name == "other")
                #expect(group.description == "of two lines\nand a quote '")
                #expect(group.updated == Fixture.start + .seconds(1))
                #expect(try transaction.configurations.values("g1") == ["size": 6, "ratio": 1.5, "on": true])
            }
            try await fixture.store.write(.relaxed) { transaction in
                let groups = transaction.configurations
                try groups.markDeleted("g1", now: Fixture.start)
                #expect(try groups.find("g1") == nil)
                #expect(try groups.values("g1").isEmpty)
                #expect {
                    try groups.markDeleted("g1", now: Fixture.start)
                } throws: { has(.notFound)($0) }
                #expect {
                    try groups.save(Self.group("g1"), now: Fixture.start)
                } throws: { has(.notFound)($0) }
            }
        }
    }

    @Test("pages go by id, of one project or of all", arguments: Driver.allCases)
    func pages(driver: Driver) async throws {
        try await Fixture.with(driver) { fixture in
            try await fixture.store.write(.relaxed) { transaction in
                for (id, project) in [("c", "p"), ("a", "p"), ("b", "q"), ("d", "p")] {
                    try transaction.configurations.insert(Self.group(id, project: project))
                }
                try transaction.configurations.markDeleted("d", now: Fixture.start)
            }
            try await fixture.store.read { transaction throws in
                let groups = transaction.configurations
                #expect(try groups.page(projectID: "p", after: nil, limit: 9).map(\.id) == ["a", "c"])
                #expect(try groups.page(projectID: "p", after: "a", limit: 9).map(\.id) == ["c"])
                #expect(try groups.page(projectID: nil, after: nil, limit: 2).map(\.id) == ["a", "b"])
            }
        }
    }

    @Test("an instance names its group, in its summary too", arguments: Driver.allCases)
    func instances(driver: Driver) async throws {
        try await Fixture.with(driver) { fixture in
            try await fixture.store.write(.relaxed) { transaction in
                try transaction.configurations.insert(Self.group("g1"))
                for id in ["i1", "i2", "i3"] {
                    var record = Fixture.instance(id)
                    record.configurationID = id == "i3" ? nil : "g1"
                    try transaction.instances.insert(record)
                }
            }
            try await fixture.store.write(.relaxed) { transaction in
                let groups = transaction.configurations
                #expect(try groups.instances("g1", after: nil, limit: 9).map(\.id) == ["i1", "i2"])
                #expect(try groups.instances("g1", after: "i1", limit: 9).map(\.name) == ["name of i2"])
                let summary = try #require(try transaction.instances.summary("i1"))
                #expect(summary.configuration == ConfigurationReference(id: "g1", name: "name of g1"))
                #expect(summary.instance.configurationID == "g1")
                #expect(try transaction.instances.summary("i3")?.configuration == nil)
                try groups.setConfiguration("g1", ofInstance: "i3", now: Fixture.start)
                try groups.setConfiguration(nil, ofInstance: "i1", now: Fixture.start)
                try transaction.instances.markDeleted("i2", now: Fixture.start)
                #expect(try groups.instances("g1", after: nil, limit: 9).map(\.id) == ["i3"])
                #expect(try groups.instanceCount("g1") == 1)
                var third = try #require(try transaction.instances.find("i3"))
                third.configurationID = nil
                _ = try transaction.instances.save(third, now: Fixture.start)
                #expect(try groups.instanceCount("g1") == 0)
                #expect {
                    try groups.setConfiguration("g1", ofInstance: "i2", now: Fixture.start)
                } throws: { has(.notFound)($0) }
            }
        }
    }

    @Test("an administrator's parameters are unique in a version", arguments: Driver.allCases)
    func parameters(driver: Driver) async throws {
        try await Fixture.with(driver) { fixture in
            var size = ParameterRecord(
                id: "p1", datastoreVersionID: Fixture.versionID, name: "size", isRestartRequired: true,
                dataType: "integer", maximum: 10, minimum: -1)
            try await fixture.store.write(.relaxed) { [size] in try $0.parameters.insert(size) }
            var again = size
            again.id = "p2"
            await #expect {
                try await fixture.store.write(.relaxed) { [again] in try $0.parameters.insert(again) }
            } throws: { has(.conflict)($0) }
            size.maximum = nil
            size.isRestartRequired = false
            try await fixture.store.write(.relaxed) { [size] transaction throws in
                let parameters = transaction.parameters
                #expect(try parameters.update(size))
                #expect(try parameters.update(size), "one that stays the same is there all the same")
                #expect(try parameters.find(datastoreVersionID: Fixture.versionID, name: "size") == size)
                #expect(try parameters.all(datastoreVersionID: Fixture.versionID) == [size])
                #expect(try parameters.all(datastoreVersionID: "other").isEmpty)
                #expect(try parameters.remove(datastoreVersionID: Fixture.versionID, name: "size"))
                #expect(try !parameters.remove(datastoreVersionID: Fixture.versionID, name: "size"))
                #expect(try !parameters.update(size))
            }
        }
    }

    @Test("a page of groups and of their instances walks an index in order")
    func plans() async throws {
        try await Fixture.with { fixture in
            let statements = ConfigurationStatements.sqlite
            for (sql, index) in [
                (statements.pageOfProject, "configurations_tenant (tenant_id=? AND deleted=? AND id>?)"),
                (statements.pageOfAll, "configurations_live (deleted=? AND id>?)"),
                (statements.instances, "instances_configuration (configuration_id=? AND deleted=? AND id>?)"),
                (statements.instanceCount, "instances_configuration (configuration_id=? AND deleted=?)"),
            ] {
                let text = try await fixture.sqlite.withReader { connection in
                    let count = sql.split(separator: "?", omittingEmptySubsequences: false).count - 1
                    let values = [SQLValue](repeating: .null, count: count)
                    return try connection.query("EXPLAIN QUERY PLAN " + sql, values) { row in
                        if case .text(let step) = row.value(3) { step } else { "" }
                    }.joined(separator: "\n")
                }
                #expect(text.contains(index), "\(text)")
                #expect(!text.contains("SCAN") && !text.contains("TEMP B-TREE"), "\(text)")
            }
        }
    }
}
