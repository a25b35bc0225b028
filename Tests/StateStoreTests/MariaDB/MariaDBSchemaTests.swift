// SPDX-License-Identifier: Apache-2.0

import Model
import TestSupport
import Testing

@testable import StateStore

@Suite("The schema on a database server")
struct MariaDBSchemaTests {
    private struct Interruption: Error {}

    private static let next = MariaDBMigration.all.count + 1
    private static let later = MariaDBMigration(
        number: next, name: "later",
        changes: [
            .create(
                SchemaTable(
                    name: "extras", columns: [.counter("number"), .key("name")], primaryKey: ["number"],
                    indexes: [SchemaIndex(name: "extras_name", columns: ["name"])])),
            .addColumn(table: "instances", .integer("extra").defaulting(to: "7")),
            .addIndex(table: "instances", SchemaIndex(name: "instances_extra", columns: ["extra"])),
        ])

    @Test(
        "it has the same migrations as a file's, every table is InnoDB with a primary key, and every text compares by bytes"
    )
    func tables() async throws {
        #expect(MariaDBMigration.all.map(\.number) == Migration.sqlite.map(\.number))
        #expect(MariaDBMigration.all.map(\.name) == Migration.sqlite.map(\.name))
        let database = try await TestDatabase.new()
        let schema = try database.schema
        #expect(try await schema.upgrade().map(\.number) == MariaDBMigration.all.map(\.number))
        #expect(try await schema.upgrade() == [])
        #expect(try await schema.check() == [])
        let status = try await schema.status()
        #expect(status.isComplete)
        #expect(status.server.hasPrefix("MariaDB 1") && status.server.hasSuffix("/\(database.name)"))
        let found = try FoundSchema(SessionConnection(database.administrator(database.name)))
        #expect(found.tables.count >= 17)
        for (name, table) in found.tables {
            #expect(table.engine == "InnoDB", "\(name)")
            #expect(table.indexes["PRIMARY"] != nil, "\(name)")
            for (column, facts) in table.columns where facts.collation != nil {
                #expect(facts.collation == "utf8mb4_nopad_bin", "\(name).\(column)")
            }
        }
    }

    @Test("every column that a file has is there too, under the same name")
    func columns() async throws {
        try await Fixture.with { fixture in
            let tables = MariaDBMigration.all.tables(upTo: .max)
            let known = try await fixture.rows(
                """
                SELECT m.name, p.name FROM sqlite_schema m JOIN pragma_table_info(m.name) p
                WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%' AND m.name <> 'schema_migrations' AND p.name <> 'id'
                """, columns: 2)
            #expect(known.count > 90)
            for row in known {
                guard case .text(let table) = row[0], case .text(let column) = row[1] else { continue }
                let found = tables.first { $0.name == table }?.columns.contains { $0.name == column }
                #expect(found == true, "\(table).\(column)")
            }
        }
    }

    @Test("an upgrade that is interrupted before any of its changes goes on where it stopped")
    func interrupted() async throws {
        let migrations = MariaDBMigration.all + [Self.later]
        let database = try await TestDatabase.new()
        var schema = try database.schema
        schema.migrations = migrations
        let changes = migrations.flatMap(\.changes).count
        var interruptions = 0
        for stop in 1...changes {
            var migrator = try migrator(database, migrations)
            var count = 0
            migrator.beforeChange = { _ in
                count += 1
                if count == 2 { throw Interruption() }
            }
            do {
                _ = try migrator.run()
                break
            } catch is Interruption {
                interruptions += 1
            }
            // A migration that was interrupted is not recorded, whatever it has done.
            #expect(try await !schema.status().isComplete, "\(stop)")
        }
        #expect(interruptions > 0)
        #expect(try await schema.upgrade().last?.name == "later")
        #expect(try await schema.status().isComplete)
        #expect(try await schema.check() == [])
    }

    @Test("half of a migration's changes made by hand, or by an upgrade that was killed, are not made again")
    func resumed() async throws {
        let database = try await TestDatabase.new()
        _ = try await database.schema.upgrade()
        let session = try database.administrator(database.name)
        try session.run(
            SchemaTable(
                name: "extras", columns: [.counter("number"), .key("name")], primaryKey: ["number"],
                indexes: [SchemaIndex(name: "extras_name", columns: ["name"])]
            ).statement(.mariadb))
        try session.run("INSERT INTO extras (name) VALUES ('kept')")
        try session.run("ALTER TABLE instances ADD COLUMN extra bigint NOT NULL DEFAULT 7")
        var schema = try database.schema
        schema.migrations = MariaDBMigration.all + [Self.later]
        #expect(try await schema.upgrade().map(\.name) == ["later"])
        #expect(try await schema.check() == [])
        #expect(try session.query("SELECT name FROM extras", []) { $0.text(0) } == ["kept"])
    }

    @Test("two upgrades at once: one waits for the other, and each migration is applied once")
    func concurrent() async throws {
        let database = try await TestDatabase.new()
        let schema = try database.schema
        let applied = try await withThrowingTaskGroup(of: [Int].self) { group in
            for _ in 0..<3 { group.addTask { try await schema.upgrade().map(\.number) } }
            return try await group.reduce(into: []) { $0 += $1 }
        }
        #expect(applied == MariaDBMigration.all.map(\.number))
        var impatient = schema
        impatient.patience = .seconds(1)
        let holder = try database.administrator(database.name)
        try holder.run("START TRANSACTION")
        _ = try holder.query("SELECT id FROM schema_lock FOR UPDATE", []) { _ in 1 }
        await #expect { try await impatient.upgrade() } throws: { error in
            has(.busy)(error) && (error as? StateStoreError)?.message.contains("Another 'trove db upgrade'") == true
        }
    }

    @Test("a store is not opened on a schema that is missing, behind or newer, and says what to do")
    func opening() async throws {
        let database = try await TestDatabase.new()
        let configuration = try database.configuration
        func message() async -> String {
            do {
                await (try await StateStoreFactory.open(configuration, logger: TestDatabase.silent)).close()
                return ""
            } catch {
                #expect(error.code == .schema)
                return error.message
            }
        }
        #expect(await message().contains("run 'trove db upgrade'"))
        var schema = try database.schema
        schema.migrations = [.firstRelease]
        _ = try await schema.upgrade()
        let behind = await message()
        #expect(behind.contains("has schema 1, this program needs schema \(Self.next - 1)"))
        #expect(behind.contains("plugin values") && behind.contains("run 'trove db upgrade'"))
        var incompatible = Self.later
        incompatible.compatibleFrom = Self.next
        schema.migrations = MariaDBMigration.all + [incompatible]
        _ = try await schema.upgrade()
        let newer = await message()
        #expect(newer.contains("schema \(Self.next)") && newer.contains("up to \(Self.next - 1)"))
        let own = try database.schema
        await #expect { try await own.upgrade() } throws: { has(.schema)($0) }
        #expect(try await own.status().isNewer)
        // What an older program, which runs on beside the newer one, expects is all there.
        #expect(try await own.check() == [])
    }

    @Test("a store is opened on a newer schema that lets the release before go on, and on no later one")
    func oneReleaseBehind() async throws {
        let database = try await TestDatabase.new()
        // As it was before migrations said who may work on them.
        _ = try await database.schema.upgrade()
        try database.administrator(database.name).run("ALTER TABLE schema_migrations DROP COLUMN compatible_from")
        let own = try database.schema
        #expect(try await own.status().isUsable)
        var schema = own
        schema.migrations = MariaDBMigration.all + [Self.later]
        #expect(try await schema.upgrade().map(\.compatibleFrom) == [Self.next - 1])
        let status = try await own.status()
        #expect(status.isNewer && status.isUsable && !status.isComplete)
        let configuration = try database.configuration
        await (try await StateStoreFactory.open(configuration, logger: TestDatabase.silent)).close()
        // An upgrade is the newer program's to make.
        await #expect { try await own.upgrade() } throws: { has(.schema)($0) }
        schema.migrations.append(MariaDBMigration(number: Self.next + 1, name: "later still", changes: []))
        _ = try await schema.upgrade()
        #expect(try await !own.status().isUsable)
        await #expect { try await StateStoreFactory.open(configuration, logger: TestDatabase.silent) } throws: {
            has(.schema)($0)
        }
    }

    @Test("a table of another program is not taken for one of this program")
    func foreign() async throws {
        let database = try await TestDatabase.new()
        try database.administrator(database.name).run(
            "CREATE TABLE instances (id varchar(36) PRIMARY KEY, created datetime)")
        let schema = try database.schema
        await #expect { try await schema.upgrade() } throws: { error in
            let message = (error as? StateStoreError)?.message ?? ""
            return has(.schema)(error) && message.contains("instances.") && message.contains("right database")
        }
    }

    @Test("a check names what differs, and lets be what does no harm")
    func check() async throws {
        let database = try await TestDatabase.new()
        let schema = try database.schema
        #expect(try await schema.check() == ["There is no schema in the database \(database.name)."])
        _ = try await schema.upgrade()
        let session = try database.administrator(database.name)
        for statement in [
            "DROP TABLE revocations", "DROP INDEX journal_live ON journal", "ALTER TABLE journal DROP COLUMN error",
            "ALTER TABLE quotas MODIFY hard_limit int NOT NULL",
            "ALTER TABLE leases MODIFY owner varchar(255) NULL COLLATE utf8mb4_nopad_bin",
            "ALTER TABLE datastores MODIFY name varchar(255) NOT NULL COLLATE utf8mb4_general_ci",
            "ALTER TABLE instance_faults DROP FOREIGN KEY instance_faults_instance_id",
            "ALTER TABLE ledger DROP INDEX ledger_owner, ADD UNIQUE ledger_owner (kind, owner_id)",
            "ALTER TABLE plugin_values ADD COLUMN needed int NOT NULL",
            "ALTER TABLE conductor_lastseen ENGINE=Aria",
            "ALTER TABLE backups ADD COLUMN note text NULL", "CREATE INDEX own ON backups (name)",
            "CREATE TABLE own (id int)",
        ] { try session.run(statement) }
        #expect(
            Set(try await schema.check()) == [
                "Table revocations is missing.", "Index journal_live of journal is missing.",
                "Column journal.error is missing.", "Column quotas.hard_limit is int, not bigint.",
                "Column leases.owner may be NULL.",
                "Column datastores.name compares as utf8mb4_general_ci, not as utf8mb4_nopad_bin.",
                "The reference of instance_faults.instance_id to instances is missing.",
                "Index ledger_owner of ledger is unique on kind, owner_id, not on owner_id, kind, tag.",
                "Column plugin_values.needed is not part of the schema and has no default.",
                "Table conductor_lastseen is in Aria, not InnoDB.",
            ])
    }

    @Test("a table that goes missing under a running store is named, with what to do")
    func missingTable() async throws {
        let database = try await TestDatabase.new()
        _ = try await database.schema.upgrade()
        let store = try database.open()
        #expect(try await store.read { try $0.quotas.limits(projectID: "a") } == [:])
        try database.administrator(database.name).run("DROP TABLE quotas")
        await #expect {
            try await store.read { try $0.quotas.limits(projectID: "a") }
        } throws: { error in
            let message = (error as? StateStoreError)?.message ?? ""
            return has(.schema)(error) && message.contains("table quotas is missing")
                && message.contains("trove db upgrade")
        }
        #expect(try await store.read { try $0.datastores.all() } == [])
        await store.close()
    }

    private func migrator(_ database: TestDatabase, _ migrations: [MariaDBMigration]) throws -> MariaDBMigrator {
        let server = try database.server
        return MariaDBMigrator(
            migrations: migrations, flavor: .mariadb, database: database.name, host: server.hosts[0],
            options: MariaDBOptions(try database.configuration, server), patience: .seconds(5),
            clock: TestClock(Fixture.start), logger: TestDatabase.silent)
    }
}

/// A session as a connection, for what reads only.
private struct SessionConnection: StateConnection {
    let session: MariaDBSession

    init(_ session: MariaDBSession) { self.session = session }

    func execute(_ sql: String, _ values: [SQLValue]) throws -> Int { try session.execute(sql, values) }

    func query<Value>(_ sql: String, _ values: [SQLValue], _ map: (any StateRow) throws -> Value) throws -> [Value] {
        try session.query(sql, values, map)
    }
}
