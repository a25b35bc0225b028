// SPDX-License-Identifier: Apache-2.0

import Model
import Testing

@testable import StateStore

@Suite("Modules in the store")
struct ModuleRepositoryTests {
    private static func module(_ id: String, project: String? = "project-a") -> ModuleRecord {
        ModuleRecord(
            id: id, name: "name of \(id)", type: "file", contents: "eA==", md5: "m1", projectID: project,
            created: Fixture.start)
    }

    @Test("a module is found with its datastore, changes, and is gone", arguments: Driver.allCases)
    func life(driver: Driver) async throws {
        try await Fixture.with(driver) { fixture in
            try await fixture.store.write(.relaxed) { transaction in
                let modules = transaction.modules
                var module = Self.module("m")
                module.datastoreVersionID = Fixture.versionID
                module.isAutoApply = true
                module.applyOrder = 0
                try modules.insert(module)
                try modules.insert(Self.module("every", project: nil))
                try modules.insert(Self.module("other", project: "project-b"))
                module.datastoreVersionName = "1.2"
                #expect(try modules.find("m") == module)
                #expect(try modules.all(projectID: "project-a").map(\.id) == ["every", "m"])
                #expect(try modules.all(projectID: nil).map(\.id) == ["every", "m", "other"])
                module.md5 = "m2"
                module.description = "of two lines\nand a quote '"
                try modules.save(module, now: Fixture.start + .seconds(1))
                let saved = try #require(try modules.find("m"))
                #expect(saved.md5 == "m2" && saved.description == module.description)
                #expect(saved.updated == Fixture.start + .seconds(1) && saved.created == Fixture.start)
                try modules.markDeleted("m", now: Fixture.start)
                #expect(try modules.find("m") == nil)
                #expect {
                    try modules.save(module, now: Fixture.start)
                } throws: { has(.notFound)($0) }
            }
        }
    }
}
