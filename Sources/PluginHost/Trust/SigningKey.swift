// SPDX-License-Identifier: Apache-2.0

import COpenSSL
import Model

/// Ed25519 keys and signatures. Source: RFC 8032; EVP_SIGNATURE-ED25519(7ssl).
package enum SigningKey {
    package static let signatureBytes = 64
    private static let keyBytes = 32
    private static let textLimit = 1 << 14

    /// A new pair, each in PEM.
    ///
    /// - Returns: nil when the library cannot make one.
    package static func generate() -> (privateKey: [UInt8], publicKey: [UInt8])? {
        var secret = [UInt8](repeating: 0, count: textLimit)
        var open = [UInt8](repeating: 0, count: textLimit)
        var counts: (Int32, Int32) = (0, 0)
        guard
            trove_ed25519_generate(&secret, Int32(textLimit), &counts.0, &open, Int32(textLimit), &counts.1) == 1
        else { return nil }
        return (Array(secret.prefix(Int(counts.0))), Array(open.prefix(Int(counts.1))))
    }

    /// Signs `message` with a private key in PEM that no passphrase protects.
    ///
    /// - Returns: 64 bytes, as `openssl pkeyutl -sign -rawin` makes them; nil for what is no such key.
    package static func sign(_ message: [UInt8], pem: [UInt8]) -> [UInt8]? {
        var signature = [UInt8](repeating: 0, count: signatureBytes)
        guard trove_ed25519_sign(pem, Int32(pem.count), message, message.count, &signature) == 1 else { return nil }
        return signature
    }

    /// The 32 bytes of the public half of a private key in PEM.
    package static func publicBytes(ofPrivate pem: [UInt8]) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: keyBytes)
        guard trove_ed25519_public(pem, Int32(pem.count), 1, &bytes) == 1 else { return nil }
        return bytes
    }

    /// The 32 bytes of a public key in PEM; nil for anything else.
    static func publicBytes(pem: [UInt8]) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: keyBytes)
        guard trove_ed25519_public(pem, Int32(pem.count), 0, &bytes) == 1 else { return nil }
        return bytes
    }

    static func verify(_ signature: [UInt8], _ message: [UInt8], key: [UInt8]) -> Bool {
        guard signature.count == signatureBytes, key.count == keyBytes else { return false }
        return trove_ed25519_verify(key, message, message.count, signature) == 1
    }

    /// First 16 hexadecimal digits of the SHA-256 of a public key's bytes.
    package static func fingerprint(_ key: [UInt8]) -> String {
        var digest = [UInt8](repeating: 0, count: 32)
        var count: UInt32 = 0
        guard EVP_Digest(key, key.count, &digest, &count, EVP_sha256(), nil) == 1 else { return "" }
        return String(digest.hex.prefix(16))
    }
}
