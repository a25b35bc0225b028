// SPDX-License-Identifier: Apache-2.0

/// Who may connect to an instance, as its row holds it: `{"is_public": bool, "allowed_cidrs": [text]}`.
package struct AccessRules: Sendable, Hashable {
    package var isPublic: Bool
    /// IPv4 networks that may connect; empty: everybody.
    package var allowed: [String]

    /// - Parameter json: nil: never set. Missing members are false and empty. Source: REST contract §3.4.
    package init(_ json: JSONValue?) {
        isPublic = json?["is_public"]?.boolValue ?? false
        allowed = (json?["allowed_cidrs"]?.arrayValue ?? []).compactMap(\.stringValue)
    }

    /// Whether everybody may connect.
    package var isOpen: Bool { allowed.isEmpty || allowed.contains { IPv4Network($0)?.bits == 0 } }

    package var json: JSONValue {
        ["is_public": .bool(isPublic), "allowed_cidrs": .array(allowed.map(JSONValue.string))]
    }
}
