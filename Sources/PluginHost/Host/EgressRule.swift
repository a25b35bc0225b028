// SPDX-License-Identifier: Apache-2.0

/// A server that a plugin may ask: scheme, host and port, nothing else.
package struct EgressRule: Sendable, Hashable, CustomStringConvertible {
    /// `scheme://host:port`, lower case, the port always there.
    package let origin: String

    package var description: String { origin }

    /// Reads `http[s]://host[:port]`; an IPv6 address stands in brackets. No path, no wildcard.
    package init?(_ text: String) {
        let text = text.lowercased()
        let scheme = text.hasPrefix("https://") ? "https" : text.hasPrefix("http://") ? "http" : ""
        guard !scheme.isEmpty else { return nil }
        var rest = text.dropFirst(scheme.count + 3)
        let host: Substring
        if rest.hasPrefix("["), let end = rest.firstIndex(of: "]") {
            host = rest[...end]
            rest = rest[rest.index(after: end)...]
            guard host.dropFirst().dropLast().utf8.allSatisfy(Self.isAddress), host.count > 2 else { return nil }
        } else {
            host = rest.prefix { $0 != ":" }
            rest = rest.dropFirst(host.count)
            guard !host.isEmpty, host.utf8.count <= 253, host.utf8.allSatisfy(Self.isName) else { return nil }
        }
        var port = scheme == "https" ? 443 : 80
        if !rest.isEmpty {
            guard rest.hasPrefix(":"), rest.dropFirst().utf8.allSatisfy({ (0x30...0x39).contains($0) }),
                let number = Int(rest.dropFirst()), (1...65535).contains(number)
            else { return nil }
            port = number
        }
        origin = "\(scheme)://\(host):\(port)"
    }

    private static func isName(_ byte: UInt8) -> Bool {
        (0x61...0x7a).contains(byte) || (0x30...0x39).contains(byte) || byte == 0x2d || byte == 0x2e || byte == 0x5f
    }

    private static func isAddress(_ byte: UInt8) -> Bool {
        (0x61...0x66).contains(byte) || (0x30...0x3a).contains(byte) || byte == 0x2e
    }
}
