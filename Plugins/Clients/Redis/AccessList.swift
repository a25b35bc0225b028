// SPDX-License-Identifier: Apache-2.0

/// One user as `ACL LIST` and an ACL file have it: `user NAME RULE…`, in one line.
package struct AccessEntry: Hashable {
    /// The user's name; it holds no white space.
    package var name: String
    /// Rules in their order, hashes of passwords among them.
    package var rules: [String]

    /// An entry.
    package init(name: String, rules: [String]) {
        self.name = name
        self.rules = rules
    }

    /// Reads a line; `nil` for one that is no user's.
    package init?(line: String) {
        let words = line.split(separator: " ").map(String.init)
        guard words.count >= 2, words[0] == "user" else { return nil }
        self.init(name: words[1], rules: Array(words[2...]))
    }

    /// The line.
    package var line: String { (["user", name] + rules).joined(separator: " ") }

    /// Whether the user can log in.
    package var isOn: Bool { rules.contains("on") }

    /// The entries of an ACL file.
    package static func entries(of file: String) -> [AccessEntry] {
        file.split(whereSeparator: \.isNewline).compactMap { AccessEntry(line: String($0)) }
    }

    /// The ACL file of entries.
    package static func file(_ entries: [AccessEntry]) -> String { entries.map { $0.line + "\n" }.joined() }
}

/// Accounts that are the service's or the engine's own.
package enum Accounts {
    /// The administrator of the service.
    package static let administrator = "os_admin"
    /// The engine's own superuser, whom connections without a name are; tenants may ask for it.
    package static let root = "default"
    /// Names that tenants neither see nor make.
    package static let reserved = [administrator, root]
}
