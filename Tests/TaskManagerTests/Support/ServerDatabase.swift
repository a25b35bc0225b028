// SPDX-License-Identifier: Apache-2.0

import Foundation
import Logging
import Model
import StateStore
import TestSupport

/// A database of its own on a private server.
enum ServerDatabase {
    struct Failure: Error { var sentence: String }

    /// Makes the database and its tables, and opens it.
    static func open(_ nodes: Nodes, clock: (any WallClock)? = nil) async throws -> any StateStore {
        let name = "trove_" + UUID().uuidString.prefix(8).lowercased()
        try make(name, nodes)
        let configuration = StateStoreConfiguration(
            url: "mariadb://trove@127.0.0.1:\(try nodes.port("mariadb", "port"))/\(name)",
            password: Secret(try nodes.password("mariadb", "trove")), tls: .off)
        _ = try await StateStoreFactory.schema(configuration, logger: Crew.logger).upgrade()
        return try await StateStoreFactory.open(configuration, logger: Crew.logger, clock: clock)
    }

    private static func make(_ name: String, _ nodes: Nodes) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = [
            "mariadb", "--no-defaults", "-h", "127.0.0.1", "-P", "\(try nodes.port("mariadb", "port"))", "-u", "trove",
            "-e", "CREATE DATABASE \(name)",
        ]
        var environment = ProcessInfo.processInfo.environment
        environment["MYSQL_PWD"] = try nodes.password("mariadb", "trove")
        process.environment = environment
        try process.run()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw Failure(sentence: "the database \(name) was not made") }
    }
}
