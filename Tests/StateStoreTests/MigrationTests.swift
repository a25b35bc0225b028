// SPDX-License-Identifier: Apache-2.0

import Logging
import Model
import TestSupport
import Testing

@testable import StateStore

@Suite("Migrations of the state database")
struct MigrationTests {
    /// The number after the newest of this program.
    private static let next = Migration.sqlite.count + 1
    private static let second = Migration(
        number: next, name: "second",
        statements: ["CREATE TABLE extra (id INTEGER PRIMARY KEY)", "INSERT INTO extra VALUES (7)"])

    private func applied(_ store: SQLiteStateStore) async throws -> [[SQLValue]] {
        try await store.withReader { connection in
            try connection.query("SELECT number, name, applied FROM schema_migrations ORDER BY number", []) { row in
                (0..<3).map(row.value)
            }
        }
    }

    @Test("numbers ascend from one without gaps and names are told apart")
    func numbering() {
        #expect(Migration.sqlite.map(\.number) == Array(1...Migration.sqlite.count))
        #expect(Set(Migration.sqlite.map(\.name)).count == Migration.sqlite.count)
    }

    @Test("opening again applies nothing; a newer program adds what is missing and keeps the rows")
    func upgrade() async throws {
        try await Fixture.with { fixture in
            let time = SQLValue.int(Fixture.start.microseconds)
            let own = Migration.sqlite.map { [SQLValue($0.number), .text($0.name), time] }
            #expect(try await applied(fixture.sqlite) == own)
            await fixture.store.close()
            for _ in 0..<2 {
                let store = try Fixture.open(fixture.path, migrations: Migration.sqlite + [Self.second])
                #expect(try await applied(store) == own + [[SQLValue(Self.next), "second", time]])
                #expect(try await store.read { try $0.datastores.all().count } == 1)
                let rows = try await store.withReader { try $0.query("SELECT id FROM extra", []) { $0.value(0) } }
                #expect(rows == [7])
                await store.close()
            }
        }
    }

    @Test("a database newer than the program is refused with both numbers and left alone")
    func newer() async throws {
        try await Fixture.with { fixture in
            await fixture.store.close()
            await (try Fixture.open(fixture.path, migrations: Migration.sqlite + [Self.second])).close()
            #expect {
                try Fixture.open(fixture.path)
            } throws: { error in
                let message = (error as? StateStoreError)?.message ?? ""
                return has(.schema)(error) && message.contains("schema \(Self.next)")
                    && message.contains("up to \(Self.next - 1)")
            }
        }
    }

    @Test("a migration that fails half way leaves nothing behind")
    func failing() async throws {
        try await Fixture.with { fixture in
            await fixture.store.close()
            let broken = Migration(
                number: Self.next, name: "broken",
                statements: ["CREATE TABLE half (id INTEGER)", "CREATE TABLE datastores (id)"])
            #expect {
                try Fixture.open(fixture.path, migrations: Migration.sqlite + [broken])
            } throws: { error in
                has(.schema)(error) && (error as? StateStoreError)?.message.contains("\(Self.next) (broken)") == true
            }
            let store = try Fixture.open(fixture.path, migrations: Migration.sqlite + [Self.second])
            let halves = try await store.withReader { connection in
                try connection.query("SELECT 1 FROM sqlite_schema WHERE name = 'half'", []) { _ in true }
            }
            #expect(halves.isEmpty)
            await store.close()
        }
    }

    @Test("two programs opening a new database at once both come up")
    func concurrentOpening() async throws {
        try await withTemporaryDirectory { directory in
            let path = directory + "/trove.db"
            let counts = try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<2 {
                    group.addTask { @concurrent in
                        let store = try SQLiteStateStore(path: path, logger: .init(label: "test"))
                        let count = try await store.withReader { connection in
                            try connection.query("SELECT number FROM schema_migrations", []) { _ in true }.count
                        }
                        await store.close()
                        return count
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(counts == [Migration.sqlite.count, Migration.sqlite.count])
        }
    }
}
