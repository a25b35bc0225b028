// SPDX-License-Identifier: Apache-2.0

import Logging
import Model
import TestSupport
import Testing

@testable import StateStore

@Suite("The state store's configuration")
struct ConfigurationTests {
    private static let silent = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    @Test("a file's URL is its path, absolute or relative")
    func files() throws {
        #expect(try StateStorePlace("sqlite:///var/lib/trove.db") == .file("/var/lib/trove.db"))
        #expect(try StateStorePlace("sqlite://.trove/state/trove.db") == .file(".trove/state/trove.db"))
        #expect(try StateStorePlace(StateStoreConfiguration.file("/a").url) == .file("/a"))
    }

    @Test("a server's URL has a user, hosts with ports, and a database")
    func servers() throws {
        guard case .server(let one) = try StateStorePlace("mariadb://trove@db.example/trove_1") else {
            Issue.record("no server")
            return
        }
        #expect(one.hosts.map(\.description) == ["db.example:3306"])
        #expect(one.user == "trove")
        #expect(one.database == "trove_1")
        guard case .server(let many) = try StateStorePlace("mysql://a%40b@10.0.0.1:3307,[::1]:3308,[fe80::1],c/d-e")
        else {
            Issue.record("no server")
            return
        }
        #expect(many.user == "a@b")
        #expect(many.hosts.map(\.description) == ["10.0.0.1:3307", "[::1]:3308", "[fe80::1]:3306", "c:3306"])
    }

    @Test(
        "what is wrong with a URL is said without repeating it",
        arguments: [
            "", "trove.db", "sqlite://", "postgres://u@h/d", "mariadb://h/d", "mariadb://@h/d",
            "mariadb://u:hunter2@h/d",
            "mariadb://u@h", "mariadb://u@h/", "mariadb://u@h/d?x=1", "mariadb://u@/d", "mariadb://u@h,/d",
            "mariadb://u@h:0/d", "mariadb://u@h:70000/d", "mariadb://u@h:1:2/d", "mariadb://u@[::1/d",
            "mariadb://%4@h/d",
        ])
    func wrong(url: String) {
        #expect {
            try StateStorePlace(url)
        } throws: { error in
            let message = (error as? StateStoreError)?.message ?? ""
            return message.hasPrefix("The state store's URL ") && !message.contains("hunter2")
        }
    }

    @Test("a file is opened and administered through the factory")
    func factory() async throws {
        try await withTemporaryDirectory { directory in
            let configuration = StateStoreConfiguration.file(directory + "/trove.db")
            let schema = try StateStoreFactory.schema(configuration, logger: Self.silent)
            let before = try await schema.status()
            #expect(before.current == 0)
            #expect(before.steps.map(\.number) == Migration.sqlite.map(\.number))
            #expect(try await schema.check() == ["There is no schema in \(directory)/trove.db."])
            #expect(try await schema.upgrade().map(\.name) == Migration.sqlite.map(\.name))
            #expect(try await schema.upgrade().isEmpty)
            #expect(try await schema.status().isComplete)
            #expect(try await schema.check() == [])

            let clock = TestClock(Fixture.start)
            let store = try await StateStoreFactory.open(configuration, logger: Self.silent, clock: clock)
            #expect(try await store.read { try $0.now } == Fixture.start)
            await store.close()

            let file = try SQLiteStateStore(path: directory + "/trove.db", logger: Self.silent)
            _ = try await file.withWriter(.relaxed) { connection in
                try connection.execute("DROP INDEX instances_live", [])
                try connection.execute("ALTER TABLE quotas ADD COLUMN extra TEXT", [])
                return try connection.execute("CREATE TABLE foreign_table (id TEXT)", [])
            }
            await file.close()
            let differences = try await schema.check()
            #expect(differences.count == 3)
            #expect(differences.contains("index instances_live is missing."))
            #expect(differences.contains("table foreign_table is not part of the schema."))
            #expect(differences.contains { $0.hasPrefix("table quotas is not as expected: ") })
        }
    }
}
