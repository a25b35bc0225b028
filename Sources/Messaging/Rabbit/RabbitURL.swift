// SPDX-License-Identifier: Apache-2.0

/// Where a RabbitMQ broker is and who connects: `rabbit://user@host:port[,host2:port]/vhost`, `rabbits://` with TLS.
///
/// Shape: user and virtual host percent-encoded; no path, or `/` alone, is the virtual host `/`; an IPv6 address in brackets; ports
/// default to 5672 and, with TLS, 5671. Each address may repeat the user. A password has no place here.
/// Source: transport URLs of oslo.messaging.
package struct RabbitURL: Sendable, Hashable {
    /// One of the broker's addresses.
    package struct Address: Sendable, Hashable, CustomStringConvertible {
        package var host: String
        package var port: Int

        package init(host: String, port: Int) {
            self.host = host
            self.port = port
        }

        package var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
    }

    package var usesTLS: Bool
    package var user: String
    /// At least one.
    package var addresses: [Address]
    package var virtualHost: String

    package init(usesTLS: Bool, user: String, addresses: [Address], virtualHost: String) {
        self.usesTLS = usesTLS
        self.user = user
        self.addresses = addresses
        self.virtualHost = virtualHost
    }

    /// Reads an URL.
    ///
    /// - Throws: `badMessage` with a sentence that says what is wrong, and never repeats what may be a password.
    package init(parsing text: String) throws(MessagingError) {
        let rest: Substring
        if text.hasPrefix("rabbit://") {
            (usesTLS, rest) = (false, text.dropFirst(9))
        } else if text.hasPrefix("rabbits://") {
            (usesTLS, rest) = (true, text.dropFirst(10))
        } else {
            throw Self.invalid("it begins with neither rabbit:// nor rabbits://")
        }
        guard !rest.contains("?"), !rest.contains("#") else { throw Self.invalid("options do not belong in it") }
        let slash = rest.firstIndex(of: "/") ?? rest.endIndex
        virtualHost = try Self.decoded(rest[slash...].dropFirst(), "virtual host")
        if virtualHost.isEmpty { virtualHost = "/" }
        var users: Set<String> = []
        addresses = []
        for part in rest[..<slash].split(separator: ",", omittingEmptySubsequences: false) {
            var place = part
            if let at = part.lastIndex(of: "@") {
                users.insert(try Self.user(part[..<at]))
                place = part[part.index(after: at)...]
            }
            addresses.append(try Self.address(place, defaultPort: usesTLS ? 5671 : 5672))
        }
        guard users.count <= 1 else { throw Self.invalid("its addresses name different users") }
        user = users.first ?? "guest"
    }

    private static func user(_ text: Substring) throws(MessagingError) -> String {
        guard !text.contains(":") else {
            throw invalid("a password does not belong in it; it has a setting of its own")
        }
        let user = try decoded(text, "user")
        guard !user.isEmpty else { throw invalid("its user is empty") }
        return user
    }

    private static func address(_ text: Substring, defaultPort: Int) throws(MessagingError) -> Address {
        var host = text
        var port: Substring?
        if text.hasPrefix("[") {
            guard let end = text.firstIndex(of: "]") else {
                throw invalid("an IPv6 address in it has no closing bracket")
            }
            host = text[text.index(after: text.startIndex)..<end]
            let rest = text[text.index(after: end)...]
            guard rest.isEmpty || rest.hasPrefix(":") else { throw invalid("something follows an IPv6 address in it") }
            port = rest.isEmpty ? nil : rest.dropFirst()
        } else if let colon = text.firstIndex(of: ":") {
            (host, port) = (text[..<colon], text[text.index(after: colon)...])
        }
        guard !host.isEmpty else { throw invalid("an address in it has no host") }
        guard let port else { return Address(host: String(host), port: defaultPort) }
        guard let number = Int(port), (1...65535).contains(number), port.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 })
        else { throw invalid("a port in it is no number from 1 to 65535") }
        return Address(host: String(host), port: number)
    }

    private static func decoded(_ text: Substring, _ what: String) throws(MessagingError) -> String {
        var bytes: [UInt8] = []
        var rest = text.utf8
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard let high = hexDigit(rest.popFirst()), let low = hexDigit(rest.popFirst()) else {
                throw invalid("its \(what) has a % that two hexadecimal digits do not follow")
            }
            bytes.append(high << 4 | low)
        }
        guard let decoded = String(validating: bytes, as: UTF8.self), !bytes.contains(0) else {
            throw invalid("its \(what) is not UTF-8 text")
        }
        return decoded
    }

    private static func hexDigit(_ byte: UInt8?) -> UInt8? {
        guard let byte, byte < 0x80 else { return nil }
        return Character(UnicodeScalar(byte)).hexDigitValue.map(UInt8.init)
    }

    private static func invalid(_ reason: String) -> MessagingError {
        MessagingError(.badMessage, "the bus url cannot be used: \(reason)")
    }
}
