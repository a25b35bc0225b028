// SPDX-License-Identifier: Apache-2.0

import Logging
import Model
import Synchronization
import TestSupport

@testable import StateStore

/// What several API processes keep their rows in.
enum SharedState: String, Sendable, CaseIterable {
    case sqlite
    case mariadb

    /// Runs `body` with two stores over one database, as two processes have.
    func withTwo(
        clock: TestClock = TestClock(), _ body: (any StateStore, any StateStore) async throws -> Void
    ) async throws {
        switch self {
        case .sqlite:
            try await withTemporaryDirectory { path in
                try await use(body) {
                    try SQLiteStateStore(path: path + "/trove.db", clock: clock, logger: Self.silent)
                }
            }
        case .mariadb:
            let database = try await MariaDBDatabase.make()
            try await use(body) { try database.open(clock: clock) }
        }
    }

    private func use(
        _ body: (any StateStore, any StateStore) async throws -> Void, _ open: () throws -> any StateStore
    ) async throws {
        let stores = (try open(), try open())
        do {
            try await body(stores.0, stores.1)
        } catch {
            await stores.0.close()
            await stores.1.close()
            throw error
        }
        await stores.0.close()
        await stores.1.close()
    }

    static let silent = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
}

/// A database of one test's own on the suite's server.
private struct MariaDBDatabase {
    private static let made = Mutex(0)

    let configuration: StateStoreConfiguration
    let server: DatabaseServer

    static func make() async throws -> MariaDBDatabase {
        let number = made.withLock { count in
            count += 1
            return count
        }
        let nodes = try Nodes.shared([.mariadb])
        let port = try nodes.port("mariadb", "port")
        let name = "trove_api_\(number)"
        let administrator = try place(
            "mariadb://admin@127.0.0.1:\(port)/mysql", try nodes.password("mariadb", "admin"))
        let session = try MariaDBSession(
            administrator.server.hosts[0], MariaDBOptions(administrator.configuration, administrator.server))
        try session.run("CREATE DATABASE `\(name)` CHARACTER SET utf8mb4")
        let database = try place("mariadb://trove@127.0.0.1:\(port)/\(name)", try nodes.password("mariadb", "trove"))
        _ = try await MariaDBSchema(database.configuration, database.server, logger: SharedState.silent).upgrade()
        return database
    }

    private static func place(_ url: String, _ password: String) throws -> MariaDBDatabase {
        let configuration = StateStoreConfiguration(
            url: url, password: Secret(password), tls: .off, poolSize: 4, timeout: .seconds(30))
        guard case .server(let server) = try StateStorePlace(url) else {
            throw StateStoreError(.unavailable, "no server")
        }
        return MariaDBDatabase(configuration: configuration, server: server)
    }

    func open(clock: TestClock) throws -> MariaDBStateStore {
        MariaDBStateStore(configuration, server, clock: clock, logger: SharedState.silent)
    }
}
