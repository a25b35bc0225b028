// SPDX-License-Identifier: Apache-2.0

import TrovePluginKit

extension MariaDBDatastore: AccessAdministration {
    func createUsers(_ users: [UserDocument], call: Call) throws {
        for user in users {
            try Names.check(user: user.key, action: "User create error: ")
            try Names.check(password: user.password)
            for name in user.databases { try Names.check(databaseName: name, action: "User create error: ") }
        }
        try administer(call) { connection in
            var made: [UserKey] = []
            do {
                for user in users {
                    if try !Accounts.exists(user.key, connection) { made.append(user.key) }
                    try create(user, connection)
                }
            } catch {
                // All or none: what this call made goes again. The engine that refused may refuse this too.
                for key in made {
                    _ = try? connection.run("DROP USER IF EXISTS \(Accounts.text(key))", "take back user \(key.text)")
                }
                throw error
            }
        }
    }

    private func create(_ user: UserDocument, _ connection: Connection) throws {
        try connection.run(
            """
            CREATE USER IF NOT EXISTS \(Accounts.text(user.key)) \
            IDENTIFIED BY \(SQLText.literal(user.password))\(requirement)
            """, "create user \(user.key.text)")
        for name in user.databases { try Accounts.grant(name, to: user.key, connection) }
    }

    func deleteUser(_ key: UserKey, call: Call) throws {
        try Names.check(user: key, action: "User delete error: ")
        try administer(call) { connection in
            _ = try connection.run("DROP USER IF EXISTS \(Accounts.text(key))", "delete user \(key.text)")
        }
    }

    func getUser(_ key: UserKey, call: Call) throws -> UserView? {
        if Names.reservedUsers.contains(key.name) { try Names.check(user: key, action: "User show error: ") }
        // No account has a name that none can have; asking the engine for one would fail instead.
        guard !Accounts.hidden.contains(key.name), (try? Names.check(user: key)) != nil else { return nil }
        return try administer(call) { connection in
            guard try Accounts.exists(key, connection) else { return nil }
            return UserView(key: key, databases: try Accounts.databases(of: key, connection))
        }
    }

    func updateUser(_ update: UserUpdate, call: Call) throws {
        let new = UserKey(name: update.newName ?? update.key.name, host: update.newHost ?? update.key.host)
        try Names.check(user: update.key, action: "User update error: ")
        try Names.check(user: new, action: "User update error: ")
        if let password = update.newPassword { try Names.check(password: password) }
        try administer(call) { connection in
            try rename(update.key, to: new, connection)
            guard let password = update.newPassword else { return }
            try connection.run(
                "ALTER USER \(Accounts.text(new)) IDENTIFIED BY \(SQLText.literal(password))",
                "set the password of user \(new.text)")
        }
    }

    func listUsers(_ page: PageRequest, call: Call) throws -> Page<UserView> {
        let marker = "CONVERT(CONCAT(User, '@', Host) USING utf8mb4) COLLATE utf8mb4_bin"
        let users = try administer(call) { connection in
            let rows = try connection.run(
                """
                SELECT User, Host FROM mysql.user \
                WHERE is_role = 'N' AND User NOT IN \(SQLText.list(Accounts.hidden))\
                \(Paging.condition(page, marker)) ORDER BY \(marker)\(Paging.limit(page))
                """, "list users")
            return try rows.map { row in
                let key = UserKey(name: row[0] ?? "", host: row[1] ?? "")
                return UserView(key: key, databases: try Accounts.databases(of: key, connection))
            }
        }
        return Paging.page(users, page) { $0.key.text }
    }

    func grantAccess(_ key: UserKey, databases: [String], call: Call) throws {
        try Names.check(user: key, action: "User update error: ")
        for name in databases { try Names.check(databaseName: name) }
        try administer(call) { connection in
            guard try Accounts.exists(key, connection) else { throw Accounts.missing(key) }
            for name in databases { try Accounts.grant(name, to: key, connection) }
        }
    }

    func revokeAccess(_ key: UserKey, database: String, call: Call) throws {
        try Names.check(user: key, action: "User update error: ")
        try Names.check(databaseName: database)
        try administer(call) { connection in
            guard try Accounts.exists(key, connection) else { throw Accounts.missing(key) }
            for pattern in try Accounts.patterns(of: key, connection) where SQLText.name(pattern: pattern) == database {
                try connection.run(
                    "REVOKE ALL PRIVILEGES ON \(SQLText.identifier(pattern)).* FROM \(Accounts.text(key))",
                    "revoke access of user \(key.text) to database \(database)")
            }
        }
    }

    /// A repeat finds the new account alone, and that is fine.
    private func rename(_ key: UserKey, to new: UserKey, _ connection: Connection) throws {
        let isThere = try Accounts.exists(key, connection)
        guard key != new else {
            guard isThere else { throw Accounts.missing(key) }
            return
        }
        switch (isThere, try Accounts.exists(new, connection)) {
        case (true, false):
            try connection.run(
                "RENAME USER \(Accounts.text(key)) TO \(Accounts.text(new))", "rename user \(key.text)")
        case (true, true): throw PluginFailure(.alreadyExists, "a user \(new.text) exists already")
        case (false, true): break
        case (false, false): throw Accounts.missing(key)
        }
    }
}

/// Accounts and their grants in the engine's tables.
enum Accounts {
    /// Names that tenants do not see.
    static let hidden = Names.reservedUsers + Names.systemUsers + [""]

    /// The account in a statement.
    static func text(_ key: UserKey) -> String { "\(SQLText.literal(key.name))@\(SQLText.literal(key.host))" }

    static func exists(_ key: UserKey, _ connection: Connection) throws -> Bool {
        let rows = try connection.run(
            """
            SELECT 1 FROM mysql.user WHERE is_role = 'N' AND User = \(SQLText.literal(key.name)) \
            AND Host = \(SQLText.literal(key.host))
            """, "look for user \(key.text)")
        return !rows.isEmpty
    }

    static func grant(_ database: String, to key: UserKey, _ connection: Connection) throws {
        try connection.run(
            "GRANT ALL PRIVILEGES ON \(SQLText.grantTarget(database)) TO \(text(key))",
            "grant access to database \(database) to user \(key.text)")
    }

    /// Databases that the account has privileges on, ascending.
    static func databases(of key: UserKey, _ connection: Connection) throws -> [String] {
        Set(try patterns(of: key, connection).map(SQLText.name(pattern:))).sorted()
    }

    /// The databases' patterns as the grant table has them.
    static func patterns(of key: UserKey, _ connection: Connection) throws -> [String] {
        let rows = try connection.run(
            """
            SELECT Db FROM mysql.db WHERE User = \(SQLText.literal(key.name)) AND Host = \(SQLText.literal(key.host)) \
            ORDER BY Db
            """, "list the grants of user \(key.text)")
        return rows.compactMap { $0[0] }
    }

    static func missing(_ key: UserKey) -> PluginFailure {
        PluginFailure(.notFound, "there is no user \(key.text)")
    }
}
