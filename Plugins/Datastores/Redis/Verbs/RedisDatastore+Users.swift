// SPDX-License-Identifier: Apache-2.0

import RedisClient
import TrovePluginKit

/// Users are those of the engine's access list. It has no hosts and no grants on single databases.
extension RedisDatastore: UserAdministration {
    func createUsers(_ users: [UserDocument], call: Call) throws {
        for user in users {
            try Names.check(user: user.key, action: "User create error: ")
            try Names.check(password: user.password)
            try Names.check(databases: user.databases, of: user.key.name)
        }
        let new = try users.map { Rights.user(name: $0.key.name, hash: try PasswordHash.rule($0.password)) }
        try administer(call) { connection in
            let old = try AccessList.entries(connection)
            var missing: [AccessEntry] = []
            for user in new where !missing.contains(user) {
                if let other = (old + missing).first(where: { $0.name == user.name }) {
                    guard other.hasPassword(of: user) else { throw AccessList.existing(user.name) }
                } else {
                    missing.append(user)
                }
            }
            try AccessList.change(
                connection, missing.map { ["ACL", "SETUSER", $0.name, "reset"] + $0.rules },
                undo: missing.map { ["ACL", "DELUSER", $0.name] }, "create users")
        }
    }

    func deleteUser(_ key: UserKey, call: Call) throws {
        try Names.check(user: UserKey(name: key.name), action: "User delete error: ")
        guard key.host == "%" else { return }
        try administer(call) { connection in
            guard let old = try AccessList.entry(key.name, connection) else { return }
            try AccessList.change(
                connection, [["ACL", "DELUSER", key.name]], undo: [["ACL", "SETUSER", key.name, "reset"] + old.rules],
                "delete user \(key.name)")
        }
    }

    func getUser(_ key: UserKey, call: Call) throws -> UserView? {
        if Accounts.reserved.contains(key.name) { try Names.check(user: key, action: "User show error: ") }
        guard (try? Names.check(user: key)) != nil else { return nil }
        return try administer(call) { connection in
            try AccessList.entry(key.name, connection).map { _ in UserView(key: key, databases: []) }
        }
    }

    func updateUser(_ update: UserUpdate, call: Call) throws {
        let name = update.newName ?? update.key.name
        try Names.check(user: UserKey(name: update.key.name), action: "User update error: ")
        try Names.check(user: UserKey(name: name, host: update.newHost), action: "User update error: ")
        if let password = update.newPassword { try Names.check(password: password) }
        guard update.key.host == "%" else { throw AccessList.missing(update.key.text) }
        let hash = try update.newPassword.map { try PasswordHash.rule($0) }
        try administer(call) { connection in
            let entries = try AccessList.entries(connection)
            let old = entries.first { $0.name == update.key.name }
            let new = entries.first { $0.name == name }
            guard old == nil || new == nil || name == update.key.name else { throw AccessList.existing(name) }
            // A repeat finds the new name alone, and that is fine.
            guard let current = old ?? new else { throw AccessList.missing(update.key.text) }
            var changed = AccessEntry(name: name, rules: current.rules)
            if let hash {
                changed.rules.removeAll { $0.hasPrefix("#") || $0 == "nopass" }
                changed.rules.append(hash)
            }
            guard changed != current else { return }
            var commands = [["ACL", "SETUSER", name, "reset"] + changed.rules]
            var undo = [["ACL", "SETUSER", current.name, "reset"] + current.rules]
            if current.name != name {
                commands.append(["ACL", "DELUSER", current.name])
                undo.append(["ACL", "DELUSER", name])
            }
            try AccessList.change(connection, commands, undo: undo, "update user \(update.key.name)")
        }
    }

    func listUsers(_ page: PageRequest, call: Call) throws -> Page<UserView> {
        let entries = try administer(call) { try AccessList.entries($0) }
        let keys = entries.map { UserKey(name: $0.name) }.sorted { Self.isBefore($0.text, $1.text) }
        let marker = page.marker
        let rest = keys.filter { key in
            guard let marker else { return true }
            return Self.isBefore(marker, key.text) || (page.includesMarker && marker == key.text)
        }
        let items = rest.prefix(page.limit ?? rest.count).map { UserView(key: $0, databases: []) }
        return Page(items: items, next: items.count < rest.count ? items.last?.key.text : nil)
    }

    /// By bytes, so that a marker means the same everywhere.
    private static func isBefore(_ left: String, _ right: String) -> Bool {
        left.utf8.lexicographicallyPrecedes(right.utf8)
    }
}

extension AccessEntry {
    /// Whether this user logs in with the password of `other`.
    func hasPassword(of other: AccessEntry) -> Bool {
        Set(rules.filter { $0.hasPrefix("#") }) == Set(other.rules.filter { $0.hasPrefix("#") })
    }
}

/// The tenants' part of the engine's access list.
enum AccessList {
    static func entries(_ connection: Connection) throws -> [AccessEntry] {
        let lines = try connection.run(["ACL", "LIST"], "list users").items.compactMap(\.textValue)
        return lines.compactMap { AccessEntry(line: $0) }.filter { !Accounts.reserved.contains($0.name) }
    }

    static func entry(_ name: String, _ connection: Connection) throws -> AccessEntry? {
        try entries(connection).first { $0.name == name }
    }

    /// Runs the commands as one and writes the list to disk; what cannot be written does not stay.
    static func change(_ connection: Connection, _ commands: [[String]], undo: [[String]], _ purpose: String) throws {
        guard !commands.isEmpty else { return }
        try connection.run(together: commands, purpose)
        do {
            try connection.run(["ACL", "SAVE"], "write the list of users")
        } catch {
            try? connection.run(together: undo, purpose)
            throw PluginFailure(
                .exhausted, "\(purpose): the list of users could not be written; the volume may be full")
        }
    }

    static func missing(_ user: String) -> PluginFailure { PluginFailure(.notFound, "there is no user \(user)") }

    static func existing(_ user: String) -> PluginFailure {
        PluginFailure(.alreadyExists, "a user \(user) exists already")
    }
}
