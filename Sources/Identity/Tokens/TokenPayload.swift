// SPDX-License-Identifier: Apache-2.0

import Model

/// How the holder of a token proved itself.
struct TokenMethods: OptionSet, Sendable, Hashable {
    let rawValue: UInt8
    static let password = TokenMethods(rawValue: 1)
    static let token = TokenMethods(rawValue: 2)

    /// The Identity API's names.
    var names: [String] { (contains(.password) ? ["password"] : []) + (contains(.token) ? ["token"] : []) }
}

/// What a token says, before it is sealed.
struct TokenPayload: Sendable, Hashable {
    var userID: String
    /// `nil` without a scope.
    var projectID: String?
    var methods: TokenMethods
    var issued: Timestamp
    var expires: Timestamp
    /// 16 bytes, unique.
    var auditID: [UInt8]
    /// That of the first token in a chain of rescoping; `nil` for the first.
    var parentAuditID: [UInt8]?
}

extension TokenPayload {
    /// Form 1: form, methods, presence bits (1 project, 2 parent), user id (16), issued and expires (8 each, microseconds,
    /// big-endian), audit id (16), then project id (16) and parent audit id (16) where present.
    var encoded: [UInt8]? {
        guard let user = Self.bytes(id: userID), auditID.count == 16 else { return nil }
        var bytes: [UInt8] = [1, methods.rawValue, (projectID == nil ? 0 : 1) | (parentAuditID == nil ? 0 : 2)]
        bytes += user + Self.bytes(issued) + Self.bytes(expires) + auditID
        if let projectID {
            guard let project = Self.bytes(id: projectID) else { return nil }
            bytes += project
        }
        return bytes + (parentAuditID ?? [])
    }

    init?(encoded bytes: [UInt8]) {
        guard bytes.count >= 51, bytes[0] == 1 else { return nil }
        let hasProject = bytes[2] & 1 != 0
        let hasParent = bytes[2] & 2 != 0
        guard bytes.count == 51 + (hasProject ? 16 : 0) + (hasParent ? 16 : 0) else { return nil }
        userID = bytes[3..<19].hex
        methods = TokenMethods(rawValue: bytes[1])
        issued = Self.timestamp(bytes[19..<27])
        expires = Self.timestamp(bytes[27..<35])
        auditID = Array(bytes[35..<51])
        projectID = hasProject ? bytes[51..<67].hex : nil
        parentAuditID = hasParent ? Array(bytes.suffix(16)) : nil
    }

    /// The 16 bytes of an id of 32 lower-case hexadecimal digits; `nil` for another text.
    static func bytes(id: String) -> [UInt8]? {
        guard let bytes = Hex.decode(id), bytes.count == 16, bytes.hex == id else { return nil }
        return bytes
    }

    private static func bytes(_ time: Timestamp) -> [UInt8] {
        withUnsafeBytes(of: time.microseconds.bigEndian) { Array($0) }
    }

    private static func timestamp(_ bytes: ArraySlice<UInt8>) -> Timestamp {
        Timestamp(microseconds: bytes.reduce(0) { $0 << 8 | Int64($1) })
    }
}
