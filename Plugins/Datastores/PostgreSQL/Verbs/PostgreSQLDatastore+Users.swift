// SPDX-License-Identifier: Apache-2.0

import TrovePluginKit

extension PostgreSQLDatastore: AccessAdministration {
    func createUsers(_ users: [UserDocument], call: Call) throws {
        for user in users {
            try Names.check(user: user.key, action: "User create error: ")
            try Names.check(password: user.password)
            for name in user.databases { try Names.check(databaseName: name, action: "User create error: ") }
        }
        try administer(call) { administration in
            try administration.allOrNone(users, undo: { try Accounts.delete($0.key, administration) }) { user in
                try Accounts.create(user, administration)
            }
        }
    }

    func deleteUser(_ key: UserKey, call: Call) throws {
        try Names.check(user: key, action: "User delete error: ")
        try administer(call) { administration in try Accounts.delete(key, administration) }
    }

    func getUser(_ key: UserKey, call: Call) throws -> UserView? {
        if Names.reservedUsers.contains(key.name) { try Names.check(user: key, action: "User show error: ") }
        // No account has a name that none can have, or a host.
        guard (try? Names.check(user: key)) != nil else { return nil }
        return try administer(call) { administration in
            let condition = " AND r.rolname = \(SQLText.literal(key.name)) GROUP BY r.rolname"
            return try Accounts.views(where: condition, administration).first
        }
    }

    func updateUser(_ update: UserUpdate, call: Call) throws {
        let new = UserKey(name: update.newName ?? update.key.name, host: update.newHost ?? update.key.host)
        try Names.check(user: update.key, action: "User update error: ")
        try Names.check(user: new, action: "User update error: ")
        if let password = update.newPassword { try Names.check(password: password) }
        try administer(call) { administration in
            try Accounts.rename(update.key, to: new, administration)
            guard let password = update.newPassword else { return }
            let verifier = SQLText.literal(try administration.connection.verifier(of: password, for: new.name))
            try administration.run(
                "ALTER ROLE \(SQLText.identifier(new.name)) PASSWORD \(verifier)",
                "set the password of user \(new.name)")
        }
    }

    func listUsers(_ page: PageRequest, call: Call) throws -> Page<UserView> {
        // Markers are names with the one host that there is.
        let marker = "(r.rolname || '@%') COLLATE \"C\""
        let users = try administer(call) { administration in
            let condition = """
                \(try Paging.condition(page, marker)) GROUP BY r.rolname ORDER BY \(marker)\(Paging.limit(page))
                """
            return try Accounts.views(where: condition, administration)
        }
        return Paging.page(users, page) { $0.key.text }
    }

    func grantAccess(_ key: UserKey, databases: [String], call: Call) throws {
        try Names.check(user: key, action: "User update error: ")
        for name in databases { try Names.check(databaseName: name) }
        try administer(call) { administration in
            guard try Accounts.exists(key, administration) else { throw Accounts.missing(key) }
            for name in databases { try Owners.grant(name, to: key.name, administration) }
        }
    }

    func revokeAccess(_ key: UserKey, database: String, call: Call) throws {
        try Names.check(user: key, action: "User update error: ")
        try Names.check(databaseName: database)
        try administer(call) { administration in
            guard try Accounts.exists(key, administration) else { throw Accounts.missing(key) }
            try Owners.revoke(database, from: key.name, administration)
        }
    }
}
