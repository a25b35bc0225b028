// SPDX-License-Identifier: Apache-2.0

import TrovePluginKit

/// The superuser that tenants may ask for, a role beside the administrator's.
///
/// Disabled it loses its rights and its login, not its existence: what it made stays its own.
enum Root {
    static let name = "postgres"
    private static let role = SQLText.identifier(name)

    static func exists(_ connection: Connection, _ call: Call) throws -> Bool {
        try !connection.run(
            "SELECT 1 FROM pg_roles WHERE rolname = \(SQLText.literal(name))", "look for root", call: call
        ).isEmpty
    }

    /// Statements that make it, or give it all its rights again.
    static func enabling(_ password: String, _ connection: Connection, _ call: Call) throws -> [String] {
        let verifier = SQLText.literal(try connection.verifier(of: password, for: name))
        let verb = try exists(connection, call) ? "ALTER" : "CREATE"
        return [
            """
            \(verb) ROLE \(role) WITH LOGIN SUPERUSER CREATEDB CREATEROLE REPLICATION BYPASSRLS \
            CONNECTION LIMIT -1 PASSWORD \(verifier) VALID UNTIL 'infinity'
            """
        ]
    }

    /// Statements that disable one that exists, and end its sessions.
    static let disabling = [
        """
        ALTER ROLE \(role) WITH NOLOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS PASSWORD NULL
        """,
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = \(SQLText.literal(name))",
    ]

    /// Statement that sets the administrator's password.
    static func administrator(_ password: String, _ connection: Connection) throws -> String {
        let user = Session.administrator
        let verifier = try connection.verifier(of: password, for: user)
        return """
            ALTER ROLE \(SQLText.identifier(user)) WITH LOGIN SUPERUSER CONNECTION LIMIT -1 \
            PASSWORD \(SQLText.literal(verifier)) VALID UNTIL 'infinity'
            """
    }
}
