// SPDX-License-Identifier: Apache-2.0

import TrovePluginKit

/// Accounts: roles that can log in.
enum Accounts {
    /// Roles that tenants see, where `r` is a row of `pg_roles`.
    static let visible = """
        r.rolcanlogin AND r.rolname NOT IN \(SQLText.list(Names.reservedUsers)) \
        AND r.rolname !~ '^(pg_|\(Owners.prefix))'
        """

    static func exists(_ key: UserKey, _ administration: Administration) throws -> Bool {
        try !administration.run(
            "SELECT 1 FROM pg_roles r WHERE \(visible) AND r.rolname = \(SQLText.literal(key.name))",
            "look for user \(key.name)"
        ).isEmpty
    }

    /// Accounts with their databases, ascending.
    static func views(where condition: String, _ administration: Administration) throws -> [UserView] {
        let rows = try administration.run(
            """
            SELECT r.rolname, coalesce(json_agg(d.datname ORDER BY d.datname::text COLLATE "C") \
            FILTER (WHERE d.oid IS NOT NULL), '[]') \
            FROM pg_roles r LEFT JOIN (pg_auth_members m JOIN pg_roles g ON g.oid = m.roleid \
            JOIN pg_database d ON \(Owners.expression) = g.rolname) ON m.member = r.oid \
            WHERE \(visible)\(condition)
            """, "list users")
        return try rows.map { row in
            let databases = try JSON(parsing: row[1] ?? "[]").arrayValue ?? []
            return UserView(key: UserKey(name: row[0] ?? ""), databases: databases.compactMap(\.stringValue))
        }
    }

    /// Makes a login with a password, and access to databases.
    ///
    /// - Returns: Whether there was none; one that is there keeps its password.
    static func create(_ user: UserDocument, _ administration: Administration) throws -> Bool {
        let name = user.key.name
        let isNew = try !exists(user.key, administration)
        if isNew {
            let verifier = SQLText.literal(try administration.connection.verifier(of: user.password, for: name))
            try administration.run(
                "CREATE ROLE \(SQLText.identifier(name)) LOGIN PASSWORD \(verifier)", "create user \(name)")
        }
        do {
            for database in user.databases { try Owners.grant(database, to: name, administration) }
        } catch {
            if isNew { try? delete(user.key, administration) }
            throw error
        }
        return isNew
    }

    /// Deletes a login. What it made in a database goes to that database's owner.
    static func delete(_ key: UserKey, _ administration: Administration) throws {
        guard try exists(key, administration) else { return }
        let (name, purpose) = (SQLText.identifier(key.name), "delete user \(key.name)")
        try administration.run(
            """
            SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = \(SQLText.literal(key.name))
            """, purpose)
        let databases = try administration.run(
            """
            SELECT DISTINCT d.datname, coalesce(g.rolname, \(SQLText.literal(Session.administrator))) \
            FROM pg_shdepend s JOIN pg_roles r ON r.oid = s.refobjid JOIN pg_database d ON d.oid = s.dbid \
            LEFT JOIN pg_roles g ON g.rolname = \(Owners.expression) \
            WHERE s.refclassid = 'pg_authid'::regclass AND r.rolname = \(SQLText.literal(key.name)) AND d.datallowconn
            """, purpose)
        for row in databases {
            guard let database = row[0], let owner = row[1] else { continue }
            let statement = "REASSIGN OWNED BY \(name) TO \(SQLText.identifier(owner)); DROP OWNED BY \(name)"
            try administration.run(in: database, statement, purpose)
        }
        let administrator = SQLText.identifier(Session.administrator)
        try administration.run(
            "REASSIGN OWNED BY \(name) TO \(administrator); DROP OWNED BY \(name); DROP ROLE \(name)", purpose)
    }

    /// A repeat finds the new account alone, and that is fine.
    static func rename(_ key: UserKey, to new: UserKey, _ administration: Administration) throws {
        let isThere = try exists(key, administration)
        guard key != new else {
            guard isThere else { throw missing(key) }
            return
        }
        switch (isThere, try exists(new, administration)) {
        case (true, false):
            try administration.run(
                "ALTER ROLE \(SQLText.identifier(key.name)) RENAME TO \(SQLText.identifier(new.name))",
                "rename user \(key.name)")
        case (true, true): throw PluginFailure(.alreadyExists, "a user \(new.name) exists already")
        case (false, true): break
        case (false, false): throw missing(key)
        }
    }

    static func missing(_ key: UserKey) -> PluginFailure {
        PluginFailure(.notFound, "there is no user \(key.name)")
    }
}
