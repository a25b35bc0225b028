// SPDX-License-Identifier: Apache-2.0

import RedisClient
import TrovePluginKit

/// Root is the engine's default user, whom clients that send a password alone log in as.
extension RedisDatastore: RootAdministration {
    func enableRoot(password: String?, call: Call) throws -> (name: String, password: String) {
        let password = password ?? RandomPassword.make(length: 36)
        try Names.check(password: password)
        let root = Rights.root(hash: try PasswordHash.rule(password))
        try administer(call) { try set(root, $0, "enable root") }
        return (Accounts.root, password)
    }

    func disableRoot(call: Call) throws {
        try administer(call) { try set(Rights.disabledRoot, $0, "disable root") }
    }

    func isRootEnabled(call: Call) throws -> Bool {
        try administer(call) { try root($0)?.isOn ?? false }
    }

    private func set(_ new: AccessEntry, _ connection: Connection, _ purpose: String) throws {
        let old = try root(connection) ?? Rights.disabledRoot
        try AccessList.change(
            connection, [["ACL", "SETUSER", Accounts.root, "reset"] + new.rules],
            undo: [["ACL", "SETUSER", Accounts.root, "reset"] + old.rules], purpose)
        // Clients that came in under the old password are sent away.
        try connection.run(["CLIENT", "KILL", "USER", Accounts.root], purpose)
    }

    private func root(_ connection: Connection) throws -> AccessEntry? {
        let lines = try connection.run(["ACL", "LIST"], "look for root").items.compactMap(\.textValue)
        return lines.compactMap { AccessEntry(line: $0) }.first { $0.name == Accounts.root }
    }
}
