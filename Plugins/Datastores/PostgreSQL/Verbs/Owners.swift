// SPDX-License-Identifier: Apache-2.0

import TrovePluginKit

/// Access to a database: membership in the role that owns it.
///
/// Each database of a tenant is owned by a role of its own that cannot log in, named after the database's number, so that a
/// renamed database keeps it. A user with access is a member, and in that database its sessions act as that role: what one of
/// its users makes belongs to all of them, as a grant on a whole database means it elsewhere. Nobody else may connect.
enum Owners {
    static let prefix = "trove_owner_"

    /// The owner's name in SQL, where `d` is a row of `pg_database`.
    static let expression = "'\(prefix)' || d.oid"

    /// A database and the role that owns it.
    struct Ownership {
        var owner: String
        var isMade: Bool
        /// Whether the administrator owns it: it was half made.
        var isAdministrators: Bool
    }

    /// `nil` if there is no such database.
    static func find(_ database: String, _ administration: Administration) throws -> Ownership? {
        let rows = try administration.run(
            """
            SELECT \(expression), g.oid IS NOT NULL AND d.datdba = g.oid, pg_get_userbyid(d.datdba) \
            FROM pg_database d LEFT JOIN pg_roles g ON g.rolname = \(expression) \
            WHERE d.datname = \(SQLText.literal(database))
            """, "look for database \(database)")
        guard let row = rows.first, let owner = row[0] else { return nil }
        return Ownership(owner: owner, isMade: row[1] == "t", isAdministrators: row[2] == Session.administrator)
    }

    /// Hands a database to a role of its own and keeps everybody else out of it.
    static func hand(_ database: String, to owner: String, _ administration: Administration) throws {
        let name = SQLText.identifier(database)
        let role = SQLText.identifier(owner)
        let isThere = try !administration.run(
            "SELECT 1 FROM pg_roles WHERE rolname = \(SQLText.literal(owner))", "look for role \(owner)"
        ).isEmpty
        let statements =
            (isThere ? [] : ["CREATE ROLE \(role) NOLOGIN"]) + [
                "ALTER DATABASE \(name) OWNER TO \(role)", "REVOKE ALL ON DATABASE \(name) FROM PUBLIC",
            ]
        try administration.run(statements.joined(separator: "; "), "set the owner of database \(database)")
    }

    /// Lets a user into a database.
    static func grant(_ database: String, to user: String, _ administration: Administration) throws {
        guard let ownership = try find(database, administration) else { throw missing(database) }
        if !ownership.isMade { try hand(database, to: ownership.owner, administration) }
        let name = SQLText.identifier(user)
        try administration.run(
            """
            GRANT \(SQLText.identifier(ownership.owner)) TO \(name); \
            ALTER ROLE \(name) IN DATABASE \(SQLText.identifier(database)) SET role = \(SQLText.literal(ownership.owner))
            """, "grant access to database \(database) to user \(user)")
    }

    /// Shuts a user out of a database, and ends its sessions there, which would go on as the owner.
    static func revoke(_ database: String, from user: String, _ administration: Administration) throws {
        guard let ownership = try find(database, administration), ownership.isMade else { return }
        let name = SQLText.identifier(user)
        try administration.run(
            """
            REVOKE \(SQLText.identifier(ownership.owner)) FROM \(name); \
            ALTER ROLE \(name) IN DATABASE \(SQLText.identifier(database)) RESET role; \
            SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
            WHERE usename = \(SQLText.literal(user)) AND datname = \(SQLText.literal(database))
            """, "revoke access of user \(user) to database \(database)")
    }

    /// Deletes the owners of databases that are gone, whoever deleted those.
    static func sweep(_ administration: Administration) throws {
        let rows = try administration.run(
            """
            SELECT r.rolname FROM pg_roles r WHERE r.rolname ~ '^\(prefix)[0-9]+$' \
            AND NOT EXISTS (SELECT 1 FROM pg_database d WHERE \(expression) = r.rolname)
            """, "look for owners without a database")
        for name in rows.compactMap({ $0[0] }) {
            do {
                try administration.run("DROP ROLE IF EXISTS \(SQLText.identifier(name))", "delete role \(name)")
            } catch let failure as PluginFailure where EngineError.code(of: failure) == EngineError.dependentObjects {
                // It made something in a database that is still there; nobody is a member and nobody sees it.
                continue
            }
        }
    }

    static func missing(_ database: String) -> PluginFailure {
        PluginFailure(.notFound, "there is no database \(database)")
    }
}
