// SPDX-License-Identifier: Apache-2.0

import Logging
import Model
import TestSupport
import Testing

@testable import StateStore

/// What the store keeps its rows in.
enum Driver: String, Sendable, CaseIterable {
    case sqlite
    case mariadb
}

/// A store in a file or a database of its own, with one datastore version, and values to fill it with.
struct Fixture: Sendable {
    static let start = Timestamp(microseconds: 1_600_000_000_123_456)
    static let versionID = "version-1"

    /// The file, or the database's name.
    let path: String
    let store: any StateStore
    /// The store's, standing at `start` until a test moves it.
    let clock: TestClock

    var sqlite: SQLiteStateStore { get throws { try #require(store as? SQLiteStateStore) } }
    var mariadb: MariaDBStateStore { get throws { try #require(store as? MariaDBStateStore) } }

    static func with(_ driver: Driver = .sqlite, _ body: (Fixture) async throws -> Void) async throws {
        let clock = TestClock(start)
        switch driver {
        case .sqlite:
            try await withTemporaryDirectory { directory in
                let path = directory + "/state/trove.db"
                try await Fixture(path: path, store: try open(path, clock: clock), clock: clock).use(body)
            }
        case .mariadb:
            try await TestDatabase.with { database in
                let store = try database.open(clock: clock)
                try await Fixture(path: database.name, store: store, clock: clock).use(body)
            }
        }
    }

    private func use(_ body: (Fixture) async throws -> Void) async throws {
        do {
            try await store.write(.relaxed) { transaction in
                try transaction.datastores.upsert(
                    DatastoreRecord(id: "datastore-1", name: "alpha", defaultVersionID: Self.versionID))
                try transaction.datastores.upsert(
                    DatastoreVersionRecord(
                        id: Self.versionID, datastoreID: "datastore-1", name: "1.2", number: "1.2.3", isActive: true,
                        packages: ["alpha-server=1.2", "alpha-tools"], plugins: ["datastore": "org.example.alpha"])
                )
            }
            try await body(self)
        } catch {
            await store.close()
            throw error
        }
        await store.close()
    }

    /// A second store on the same rows, as another process would have.
    func another() throws -> any StateStore {
        if store is SQLiteStateStore { return try SQLiteStateStore(path: path, logger: .init(label: "test")) }
        return try TestDatabase(name: path).open(clock: clock)
    }

    /// What a statement finds, on either store.
    func rows(_ sql: String, columns: Int) async throws -> [[SQLValue]] {
        if store is SQLiteStateStore {
            return try await sqlite.withReader { try $0.query(sql, []) { row in (0..<columns).map(row.value) } }
        }
        return try await mariadb.withConnection { try $0.query(sql, []) { row in (0..<columns).map(row.value) } }
    }

    static func open(
        _ path: String, clock: TestClock = TestClock(start), migrations: [Migration] = Migration.sqlite
    ) throws -> SQLiteStateStore {
        try SQLiteStateStore(
            path: path, clock: clock, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
            migrations: migrations, busyTimeout: .milliseconds(100))
    }

    static func instance(_ id: String, project: String = "project-a", flavor: String = "1") -> InstanceRecord {
        InstanceRecord(
            id: id, name: "name of \(id)", projectID: project, flavorID: flavor, volumeGiB: 2,
            datastoreVersionID: versionID, created: start, region: "here",
            access: ["is_public": true, "allowed_cidrs": ["10.0.0.0/8"]],
            plugins: ["datastore": "org.example.alpha@1.0.0"])
    }

    static func backup(
        _ id: String, instance: String? = "i1", project: String = "project-a", parent: String? = nil,
        after seconds: Int = 0
    ) -> BackupRecord {
        BackupRecord(
            id: id, name: "name of \(id)", description: "of \(instance ?? "none")", projectID: project,
            instanceID: instance, parentID: parent, backupType: "org.example.stream", datastoreVersionID: versionID,
            created: start + .seconds(seconds))
    }

    /// Claims in a transaction of its own, so that each sees the clock as it is.
    func claim(
        _ owner: String = "w", host: String? = nil, lease: Duration = .seconds(30), excluding: [String] = [],
        stealing: [JournalLease] = []
    ) async throws -> JournalRecord? {
        try await store.write(.relaxed) { transaction in
            try transaction.journal.claim(
                owner: owner, host: host, lease: lease, excluding: excluding, stealing: stealing)
        }
    }

    /// Changes the journal in a transaction of its own.
    func journal<Value: Sendable>(
        _ body: @Sendable @escaping (any JournalRepository) throws -> Value
    ) async throws -> Value {
        try await store.write(.relaxed) { try body($0.journal) }
    }

    static func operation(_ id: String, on resource: String, after seconds: Int = 0) -> JournalRecord {
        JournalRecord(
            id: id, requestID: "req-\(id)", projectID: "project-a", userID: "user-a", flow: "create_instance",
            resourceID: resource, input: ["instance_id": .string(resource)], created: start + .seconds(seconds))
    }
}

/// For `#expect(… throws:)`: whether the error is the state store's with this code.
func has(_ code: StateStoreError.Code) -> (any Error) -> Bool {
    { error in (error as? StateStoreError)?.code == code }
}
