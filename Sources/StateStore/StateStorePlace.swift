// SPDX-License-Identifier: Apache-2.0

/// What a state store's URL says.
enum StateStorePlace: Sendable, Hashable {
    case file(String)
    case server(DatabaseServer)

    /// - Throws: `.unavailable` saying what is wrong. The URL itself is not repeated: somebody may have put a password into it.
    init(_ url: String) throws(StateStoreError) {
        func refuse(_ reason: String) -> StateStoreError {
            StateStoreError(.unavailable, "The state store's URL \(reason).")
        }
        guard let separator = url.firstRange(of: "://") else {
            throw refuse("must begin with sqlite:// or mariadb://")
        }
        let scheme = url[..<separator.lowerBound]
        let rest = url[separator.upperBound...]
        switch scheme {
        case "sqlite":
            guard !rest.isEmpty else { throw refuse("names no file after sqlite://") }
            self = .file(String(rest))
        case "mariadb", "mysql":
            self = .server(try DatabaseServer(rest, refuse))
        default:
            throw refuse("must begin with sqlite:// or mariadb://")
        }
    }
}

/// A database on one of several hosts, the first of which is asked first.
struct DatabaseServer: Sendable, Hashable {
    struct Host: Sendable, Hashable, CustomStringConvertible {
        var name: String
        var port: UInt16

        var description: String { name.contains(":") ? "[\(name)]:\(port)" : "\(name):\(port)" }
    }

    static let defaultPort: UInt16 = 3306

    /// At least one.
    var hosts: [Host]
    var user: String
    var database: String

    /// - Parameter text: What stands behind `://`.
    fileprivate init(
        _ text: Substring, _ refuse: (String) -> StateStoreError
    ) throws(StateStoreError) {
        guard let at = text.lastIndex(of: "@") else { throw refuse("names no user (mariadb://user@host/database)") }
        let account = text[..<at]
        guard !account.contains(":") else {
            throw refuse("has a password in it; it belongs into a file or the environment")
        }
        guard !account.isEmpty else { throw refuse("names no user (mariadb://user@host/database)") }
        let place = text[text.index(after: at)...]
        guard let slash = place.firstIndex(of: "/") else {
            throw refuse("names no database (mariadb://user@host/database)")
        }
        let database = place[place.index(after: slash)...]
        guard !database.isEmpty, database.utf8.allSatisfy(Self.isNameByte) else {
            throw refuse("must end with a database's name of letters, digits, '_' and '-'")
        }
        self.database = String(database)
        guard let user = Self.decoded(account) else { throw refuse("has a '%' in the user's name that is no escape") }
        self.user = user
        hosts = []
        for part in place[..<slash].split(separator: ",", omittingEmptySubsequences: false) {
            guard let host = Self.host(part) else { throw refuse("has a host that is no name, address or name:port") }
            hosts.append(host)
        }
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"):
            true
        default: false
        }
    }

    /// `name`, `name:port`, `[v6]` or `[v6]:port`.
    private static func host(_ text: Substring) -> Host? {
        var name = text
        var port: Substring?
        if text.first == "[" {
            guard let end = text.firstIndex(of: "]") else { return nil }
            name = text[text.index(after: text.startIndex)..<end]
            let rest = text[text.index(after: end)...]
            guard rest.isEmpty || rest.first == ":" else { return nil }
            port = rest.isEmpty ? nil : rest.dropFirst()
        } else if let colon = text.firstIndex(of: ":") {
            name = text[..<colon]
            port = text[text.index(after: colon)...]
            guard port?.contains(":") == false else { return nil }
        }
        guard !name.isEmpty, !name.contains(where: \.isWhitespace) else { return nil }
        guard let port else { return Host(name: String(name), port: defaultPort) }
        guard let number = UInt16(port), number > 0 else { return nil }
        return Host(name: String(name), port: number)
    }

    private static func decoded(_ text: Substring) -> String? {
        var bytes: [UInt8] = []
        var rest = text.utf8
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard rest.count >= 2, let value = UInt8(Substring(rest.prefix(2)), radix: 16) else { return nil }
            bytes.append(value)
            rest = rest.dropFirst(2)
        }
        return String(validating: bytes, as: UTF8.self)
    }
}
