// SPDX-License-Identifier: Apache-2.0

import COpenSSL
import Model

/// Turns token payloads into opaque text and back: `gAAAA`, then base64url of key version (1 byte), nonce (12),
/// AES-256-GCM ciphertext and tag (16). About 150 characters.
///
/// The keys are lines `<version> <64 hexadecimal digits>` of `token.key`; the last one seals, each of them opens.
struct TokenSeal: Sendable {
    static let fileName = "token.key"
    static let prefix = "gAAAA"
    static let maximumCharacters = 255

    private let keys: [UInt8: [UInt8]]
    private let newest: UInt8

    /// Reads the key file, or makes it. Blocks.
    ///
    /// - Throws: `.files`.
    init(files: PrivateFiles, random: any RandomSource) throws(IdentityError) {
        if try files.read(Self.fileName) == nil {
            try files.makeDirectory()
            try files.writeNew(Self.fileName, Array("1 \(random.bytes(32).hex)\n".utf8))
        }
        let content = try files.read(Self.fileName) ?? []
        var keys: [UInt8: [UInt8]] = [:]
        var newest: UInt8?
        for line in String(decoding: content, as: UTF8.self).split(separator: "\n") {
            let parts = line.split(separator: " ")
            guard parts.count == 2, let version = UInt8(parts[0]), let key = Hex.decode(String(parts[1])),
                key.count == TROVE_GCM_KEY_BYTES
            else { throw Self.malformed(files) }
            keys[version] = key
            newest = version
        }
        guard let newest else { throw Self.malformed(files) }
        self.keys = keys
        self.newest = newest
    }

    private static func malformed(_ files: PrivateFiles) -> IdentityError {
        IdentityError(.files, "\(files.path(fileName)) is malformed; remove it (all tokens end) or restore it.")
    }

    /// - Throws: `.unavailable` when libcrypto fails.
    func seal(_ payload: TokenPayload) throws(IdentityError) -> String {
        var nonce = [UInt8](repeating: 0, count: TROVE_GCM_NONCE_BYTES)
        guard let plain = payload.encoded, let key = keys[newest], RAND_bytes(&nonce, Int32(nonce.count)) == 1 else {
            throw IdentityError(.unavailable, "A token could not be made.")
        }
        var sealed = [UInt8](repeating: 0, count: plain.count)
        var tag = [UInt8](repeating: 0, count: TROVE_GCM_TAG_BYTES)
        guard trove_gcm_seal(key, nonce, [newest], 1, plain, Int32(plain.count), &sealed, &tag) == 1 else {
            throw IdentityError(.unavailable, "A token could not be made.")
        }
        return Self.prefix + Base64URL.encode([newest] + nonce + sealed + tag)
    }

    /// `nil` for a text that none of the keys made.
    func open(_ token: String) -> TokenPayload? {
        guard token.hasPrefix(Self.prefix), token.utf8.count <= Self.maximumCharacters,
            let bytes = Base64URL.decode(String(token.dropFirst(Self.prefix.count))), bytes.count > 29,
            let key = keys[bytes[0]]
        else { return nil }
        let sealed = Array(bytes[13..<(bytes.count - 16)])
        var plain = [UInt8](repeating: 0, count: sealed.count)
        let tag = Array(bytes.suffix(16))
        guard
            trove_gcm_open(
                key, Array(bytes[1..<13]), [bytes[0]], 1, sealed, Int32(sealed.count), &plain, tag) == 1
        else { return nil }
        return TokenPayload(encoded: plain)
    }
}

/// Base64 for URLs and headers, without padding. Source: RFC 4648 §5.
enum Base64URL {
    static func encode(_ bytes: [UInt8]) -> String {
        String(
            Base64.encode(bytes).compactMap { character -> Character? in
                switch character {
                case "+": "-"
                case "/": "_"
                case "=": nil
                default: character
                }
            })
    }

    static func decode(_ text: String) -> [UInt8]? {
        guard !text.utf8.contains(where: { $0 == UInt8(ascii: "+") || $0 == UInt8(ascii: "/") }) else { return nil }
        let standard = String(text.map { $0 == "-" ? "+" : $0 == "_" ? "/" : $0 })
        return Base64.decode(standard + String(repeating: "=", count: (4 - standard.utf8.count % 4) % 4))
    }
}
