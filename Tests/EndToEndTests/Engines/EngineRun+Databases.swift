// SPDX-License-Identifier: Apache-2.0

import Testing

extension EngineRun {
    private static let spare = "spare"

    func createDatabase() async throws {
        try await database("db", "create", Self.instance, Self.spare)
        #expect(try await column("Name", "db", "list", Self.instance).contains(Self.spare))
    }

    func listDatabases() async throws {
        let made = engine.has(.databaseCreate) ? [Self.database, Self.spare] : []
        #expect(try await column("Name", "db", "list", Self.instance) == (engine.ownDatabases + made).sorted())
    }

    func deleteDatabase() async throws {
        try await database("db", "delete", Self.instance, engine.has(.databaseCreate) ? Self.spare : writtenOrAny)
        #expect(try await !column("Name", "db", "list", Self.instance).contains(Self.spare))
    }

    private var writtenOrAny: String { writtenDatabase.isEmpty ? Self.database : writtenDatabase }
}
