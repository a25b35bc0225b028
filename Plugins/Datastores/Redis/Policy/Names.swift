// SPDX-License-Identifier: Apache-2.0

import RedisClient
import TrovePluginKit

/// Which users the engine takes, and which are its own.
enum Names {
    /// Refuses a user that no tenant can have. `action` begins the sentence for a reserved name, e.g. `User create error: `.
    static func check(user key: UserKey, action: String = "") throws {
        guard !key.name.isEmpty else { throw refusal("User name must not be empty.") }
        guard key.name.utf8.count <= 128 else { throw refusal("User name must have 128 bytes at most.") }
        guard key.name.unicodeScalars.allSatisfy(isTaken) else {
            throw refusal("User name has a blank or another character that the engine does not take.")
        }
        guard !Accounts.reserved.contains(key.name) else {
            let list = Accounts.reserved.map { "'\($0)'" }.joined(separator: ", ")
            throw refusal("\(action)User name \"\(key.name)\" is on the reserved list: [\(list)].")
        }
        guard key.host == "%" else {
            throw refusal("Host must be '%': a user of this datastore logs in from everywhere.")
        }
    }

    /// Refuses a password that cannot be set.
    static func check(password: String) throws {
        guard !password.isEmpty, password.utf8.count <= 512, !password.utf8.contains(0) else {
            throw refusal("A password must have 1 to 512 bytes and no NUL.")
        }
    }

    /// Refuses access to single databases.
    static func check(databases: [String], of user: String) throws {
        guard databases.isEmpty else {
            throw refusal(
                "User \"\(user)\" cannot have databases of its own: a user of this datastore reaches all of them.")
        }
    }

    /// The list of users is text with blanks between its words and one line a user.
    private static func isTaken(_ scalar: Unicode.Scalar) -> Bool {
        scalar.value > 0x20 && !(0x7F...0xA0).contains(scalar.value) && !scalar.properties.isWhitespace
    }

    private static func refusal(_ message: String) -> PluginFailure { PluginFailure(.invalidArgument, message) }
}
