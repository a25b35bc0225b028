// SPDX-License-Identifier: Apache-2.0

/// The part of a URL after `?`. Source: RFC 3986 §3.4, and `+` for a space as HTML forms have it.
struct RequestQuery: Sendable {
    private var members: [String: String] = [:]

    init(_ text: String) {
        for pair in text.split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = parts.first.map(Self.decode) else { continue }
            members[name] = parts.count > 1 ? Self.decode(parts[1]) : ""
        }
    }

    /// The value of a member; empty for one without `=`, `nil` for none.
    subscript(_ name: String) -> String? { members[name] }

    /// Whether the filters `name` and `domain_id` let something of that name in the one domain through.
    func admits(name: String) -> Bool {
        (members["name"].map { $0 == name } ?? true)
            && (members["domain_id"].map { $0 == IdentityDirectory.domainID } ?? true)
    }

    private static func decode(_ text: Substring) -> String {
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "%"), rest.count >= 2,
                let value = Hex.decode(String(decoding: rest.prefix(2), as: UTF8.self))
            {
                bytes += value
                rest = rest.dropFirst(2)
            } else {
                bytes.append(byte == UInt8(ascii: "+") ? UInt8(ascii: " ") : byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
