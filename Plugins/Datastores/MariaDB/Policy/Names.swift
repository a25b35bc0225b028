// SPDX-License-Identifier: Apache-2.0

import TrovePluginKit

/// Which names the engine takes, and which are its own.
enum Names {
    /// Databases that tenants neither see nor make.
    static let reservedDatabases = ["mysql", "information_schema", "performance_schema", "sys"]
    /// Users that tenants neither see nor make.
    static let reservedUsers = ["os_admin", "root"]
    /// The engine's own accounts: there is nothing to manage in them.
    static let systemUsers = ["mariadb.sys", "mysql", "PUBLIC"]

    /// Refuses a database that cannot be made.
    static func check(database: DatabaseDocument) throws {
        try check(databaseName: database.name)
        try CharacterSets.check(database)
    }

    /// Refuses a name that no database of a tenant can have. `action` begins the sentence for a reserved one.
    static func check(databaseName name: String, action: String = "") throws {
        try check(text: name, "Database name", maximum: 64)
        // Names that end in a space, and names with a slash, are refused by the engine itself.
        guard name.last != " " else { throw refusal("Database name \(quoted(name)) must not end with a space.") }
        guard !name.lowercased().hasPrefix("#mysql50#") else {
            throw refusal("Database name \(quoted(name)) must not begin with '#mysql50#', which the engine reserves.")
        }
        guard !reservedDatabases.contains(name.lowercased()) else {
            throw refusal("\(action)Database name \(quoted(name)) is on the reserved list: \(list(reservedDatabases)).")
        }
    }

    /// Refuses an account that no tenant can have. `action` begins the sentence for a reserved name.
    static func check(user key: UserKey, action: String = "") throws {
        try check(text: key.name, "User name", maximum: 80)
        try check(host: key.host)
        // The engine's tables drop such spaces, so that the account would not be found under its name.
        guard key.name.last != " " else { throw refusal("User name \(quoted(key.name)) must not end with a space.") }
        guard !reservedUsers.contains(key.name) else {
            throw refusal("\(action)User name \(quoted(key.name)) is on the reserved list: \(list(reservedUsers)).")
        }
        guard !systemUsers.contains(key.name) else {
            throw refusal("User name \(quoted(key.name)) belongs to the engine.")
        }
    }

    /// Refuses a host pattern that the engine does not take.
    static func check(host: String) throws {
        try check(text: host, "Host", maximum: 255)
        let isSane = host.utf8.allSatisfy { byte in
            isWordByte(byte) || [".", "-", "%", ":", "/", "[", "]"].contains { $0 == Character(Unicode.Scalar(byte)) }
        }
        guard isSane else { throw refusal("Host \(quoted(host)) has a character that no host has.") }
    }

    /// Refuses a password that cannot be set.
    static func check(password: String) throws {
        guard !password.isEmpty, password.utf8.count <= 255, !password.utf8.contains(0) else {
            throw refusal("A password must have 1 to 255 bytes and no NUL.")
        }
    }

    private static func check(text: String, _ what: String, maximum: Int) throws {
        guard !text.isEmpty else { throw refusal("\(what) must not be empty.") }
        guard text.unicodeScalars.count <= maximum else {
            throw refusal("\(what) must have \(maximum) characters at most.")
        }
        guard text.unicodeScalars.allSatisfy({ $0.value >= 0x20 && $0.value != 0x7F && $0.value <= 0xFFFF }) else {
            throw refusal("\(what) has a character that the engine does not take.")
        }
    }

    private static func isWordByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
            true
        default: false
        }
    }

    private static func quoted(_ name: String) -> String { "\"\(name)\"" }

    private static func list(_ names: [String]) -> String {
        "[" + names.map { "'\($0)'" }.joined(separator: ", ") + "]"
    }

    private static func refusal(_ message: String) -> PluginFailure { PluginFailure(.invalidArgument, message) }
}
