// SPDX-License-Identifier: Apache-2.0

/// Text that must not reach a log, an error message or a process argument; it prints as `<redacted>`.
package struct Secret: Sendable, Hashable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The text itself; named so that each use is easy to find.
    package let revealed: String

    package init(_ text: String) { revealed = text }

    package var description: String { "<redacted>" }
    package var debugDescription: String { "<redacted>" }
    package var customMirror: Mirror { Mirror(self, children: []) }
}

extension JSONValue {
    /// Member names whose values are secrets in every document of this system.
    package static let secretNames: Set<String> = [
        "password", "_password", "root_password", "auth_token", "secret", "data_key", "admin_password", "rpc_key",
        "private_key",
    ]

    /// A copy for logs: the values of `secretNames` members replaced, at any depth.
    package var redacted: JSONValue {
        switch self {
        case .array(let items): .array(items.map(\.redacted))
        case .object(let members):
            .object(
                Dictionary(
                    uniqueKeysWithValues: members.map { name, value in
                        (name, Self.secretNames.contains(name) && !value.isNull ? "<redacted>" : value.redacted)
                    }
                )
            )
        default: self
        }
    }
}
