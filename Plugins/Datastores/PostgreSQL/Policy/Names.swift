// SPDX-License-Identifier: Apache-2.0

import TrovePluginKit

/// Which names the engine takes, and which are its own.
enum Names {
    /// Databases that tenants neither see nor make.
    static let reservedDatabases = ["os_admin", "postgres", "template0", "template1"]
    /// Users that tenants neither see nor make.
    static let reservedUsers = ["os_admin", "postgres"]
    /// Words that stand for roles where a name is expected. Source: PostgreSQL manual, "GRANT", `role_specification`.
    private static let wordsOfRoles = ["public", "none"]
    /// `NAMEDATALEN` less its NUL; the engine cuts longer names off in silence.
    private static let maximumBytes = 63

    /// Refuses a database that cannot be made.
    static func check(database: DatabaseDocument) throws {
        try check(databaseName: database.name)
        try Encodings.check(database)
    }

    /// Refuses a name that no database of a tenant can have. `action` begins the sentence for a reserved one.
    static func check(databaseName name: String, action: String = "") throws {
        try check(text: name, "Database name")
        guard !reservedDatabases.contains(name.lowercased()) else {
            throw refusal("\(action)Database name \(quoted(name)) is on the reserved list: \(list(reservedDatabases)).")
        }
    }

    /// Refuses an account that no tenant can have. `action` begins the sentence for a reserved name.
    static func check(user key: UserKey, action: String = "") throws {
        try check(text: key.name, "User name")
        guard key.host == "%" else {
            throw refusal(
                "User name \(quoted(key.name)) cannot have host \(quoted(key.host)): an account of PostgreSQL has none; "
                    + "leave it out, or give '%'.")
        }
        guard !reservedUsers.contains(key.name.lowercased()) else {
            throw refusal("\(action)User name \(quoted(key.name)) is on the reserved list: \(list(reservedUsers)).")
        }
        for prefix in ["pg_", Owners.prefix] where key.name.hasPrefix(prefix) {
            throw refusal("User name \(quoted(key.name)) must not begin with '\(prefix)', which is reserved.")
        }
        guard !wordsOfRoles.contains(key.name) else {
            throw refusal("User name \(quoted(key.name)) is a word that the engine reserves.")
        }
    }

    /// Refuses a password that cannot be set.
    static func check(password: String) throws {
        guard !password.isEmpty, password.utf8.count <= 255, !password.utf8.contains(0) else {
            throw refusal("A password must have 1 to 255 bytes and no NUL.")
        }
    }

    private static func check(text: String, _ what: String) throws {
        guard !text.isEmpty else { throw refusal("\(what) must not be empty.") }
        guard text.utf8.count <= maximumBytes else {
            throw refusal("\(what) must have \(maximumBytes) bytes at most.")
        }
        guard text.unicodeScalars.allSatisfy({ $0.value >= 0x20 && $0.value != 0x7F }) else {
            throw refusal("\(what) has a character that cannot be in a name.")
        }
    }

    private static func quoted(_ name: String) -> String { "\"\(name)\"" }

    private static func list(_ names: [String]) -> String {
        "[" + names.map { "'\($0)'" }.joined(separator: ", ") + "]"
    }

    private static func refusal(_ message: String) -> PluginFailure { PluginFailure(.invalidArgument, message) }
}
