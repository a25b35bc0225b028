// SPDX-License-Identifier: Apache-2.0

extension MariaDBMigration {
    /// See SQLite's migration of this name.
    static let engineTLS = MariaDBMigration(
        number: 10, name: "engine TLS",
        changes: [.addColumn(table: "instances", .key("ssl_mode", 64).optional)]
    )
}
