// SPDX-License-Identifier: Apache-2.0

import RedisClient

/// What accounts may do.
enum Rights {
    /// The service's administrator.
    static func administrator(hash: String) -> AccessEntry {
        AccessEntry(name: Accounts.administrator, rules: ["on", hash, "~*", "&*", "+@all"])
    }

    /// The engine's superuser when nobody may be it.
    static let disabledRoot = AccessEntry(name: Accounts.root, rules: ["off", "resetchannels", "-@all"])

    /// The engine's superuser as tenants get it: all but what would take the instance out of the service's hands.
    static func root(hash: String) -> AccessEntry {
        let kept = [
            "config|set", "config|rewrite", "shutdown", "replicaof", "slaveof", "failover", "module", "debug",
            "cluster",
        ]
        return AccessEntry(name: Accounts.root, rules: ["on", hash, "~*", "&*", "+@all"] + kept.map { "-\($0)" })
    }

    /// A tenant's user: every key and channel, nothing that administers the server. Of the commands that the engine calls
    /// dangerous it has those that touch nothing but data.
    static func user(name: String, hash: String) -> AccessEntry {
        let data = ["flushall", "flushdb", "info", "keys", "restore", "sort", "sort_ro", "swapdb"]
        return AccessEntry(
            name: name, rules: ["on", hash, "~*", "&*", "+@all", "-@admin", "-@dangerous"] + data.map { "+\($0)" })
    }
}
