// SPDX-License-Identifier: Apache-2.0

import Logging
import Model
import Synchronization
import TestSupport

@testable import StateStore

/// A database with the newest schema on the suite's own server.
struct TestDatabase: Sendable {
    let name: String
    let nodes: Nodes

    /// - Parameter nodes: Its server; nil: the suite's.
    init(name: String, nodes: Nodes? = nil) throws {
        self.name = name
        self.nodes = try nodes ?? Nodes.shared([.mariadb])
    }

    private static let made = Mutex(0)
    private static let free = Mutex<[String]>([])

    /// Runs `body` with a database without rows, which others get when it is done.
    static func with(_ body: (TestDatabase) async throws -> Void) async throws {
        let database = try await take()
        try await body(database)
        try database.empty()
        free.withLock { $0.append(database.name) }
    }

    private static func take() async throws -> TestDatabase {
        if let name = free.withLock({ $0.popLast() }) { return try TestDatabase(name: name) }
        let database = try await new()
        _ = try await database.schema.upgrade()
        return database
    }

    /// A database without tables, for one test.
    ///
    /// - Parameter nodes: Its server; nil: the suite's.
    static func new(on nodes: Nodes? = nil) async throws -> TestDatabase {
        let number = made.withLock { count in
            count += 1
            return count
        }
        let database = try TestDatabase(name: "trove_state_\(number)", nodes: nodes)
        // As operators make it for the reference service.
        try database.administer("CREATE DATABASE `\(database.name)` CHARACTER SET utf8mb3")
        return database
    }

    var configuration: StateStoreConfiguration {
        get throws {
            StateStoreConfiguration(
                url: "mariadb://trove@127.0.0.1:\(try nodes.port("mariadb", "port"))/\(name)",
                password: Secret(try nodes.password("mariadb", "trove")), tls: .off, poolSize: 4,
                timeout: .seconds(10))
        }
    }

    var server: DatabaseServer {
        get throws {
            guard case .server(let server) = try StateStorePlace(configuration.url) else {
                throw StateStoreError(.unavailable, "no server")
            }
            return server
        }
    }

    var schema: MariaDBSchema {
        get throws { try MariaDBSchema(configuration, server, logger: Self.silent) }
    }

    static let silent = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    func open(clock: TestClock? = nil, poolSize: Int = 4, timeout: Duration = .seconds(10)) throws -> MariaDBStateStore
    {
        var configuration = try configuration
        configuration.poolSize = poolSize
        configuration.timeout = timeout
        return MariaDBStateStore(configuration, try server, clock: clock, logger: Self.silent)
    }

    /// Runs statements as the server's administrator.
    func administer(_ statements: String...) throws {
        let session = try administrator()
        for statement in statements { try session.run(statement) }
    }

    func administrator(_ database: String = "mysql") throws -> MariaDBSession {
        let configuration = StateStoreConfiguration(
            url: "mariadb://admin@127.0.0.1:\(try nodes.port("mariadb", "port"))/\(database)",
            password: Secret(try nodes.password("mariadb", "admin")), tls: .off)
        guard case .server(let server) = try StateStorePlace(configuration.url) else {
            throw StateStoreError(.unavailable, "no server")
        }
        return try MariaDBSession(server.hosts[0], MariaDBOptions(configuration, server))
    }

    private func empty() throws {
        let session = try administrator(name)
        try session.run("SET foreign_key_checks = 0")
        for table in MariaDBMigration.all.tables(upTo: .max) { try session.run("DELETE FROM `\(table.name)`") }
    }
}

/// A value that several threads of a test change.
final class Locked<Value: Sendable>: Sendable {
    private let mutex: Mutex<Value>

    init(_ value: Value) { mutex = Mutex(value) }

    func withLock<Result: Sendable>(_ body: (inout sending Value) throws -> sending Result) rethrows -> Result {
        try mutex.withLock(body)
    }
}
