// SPDX-License-Identifier: Apache-2.0

import COpenSSL
package import Model

/// Any bytes as a text that only the holder of one passphrase reads, and that shows when it was changed.
///
/// Shape: the box of a `SealCipher` around the SHA-256 of the bytes and the bytes.
package struct TextBox: Sendable {
    private static let digestSize = 32
    private let cipher: SealCipher

    /// - Throws: `badMessage` when libcrypto has no cipher.
    package init(passphrase: Secret) throws(MessagingError) {
        cipher = try SealCipher(passphrase: passphrase.revealed.utf8)
    }

    package func seal(
        _ bytes: [UInt8], random: any RandomSource = SystemRandomSource()
    ) throws(MessagingError) -> String {
        try cipher.seal(Self.digest(bytes) + bytes, random: random)
    }

    /// - Throws: `badMessage` for a box of another passphrase, or one that was changed.
    package func open(_ box: String) throws(MessagingError) -> [UInt8] {
        let content = try cipher.open(box)
        let bytes = Array(content.dropFirst(Self.digestSize))
        guard content.count >= Self.digestSize, Array(content.prefix(Self.digestSize)) == Self.digest(bytes) else {
            throw MessagingError(.badMessage, "a sealed value does not open with this key")
        }
        return bytes
    }

    private static func digest(_ bytes: [UInt8]) -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: digestSize)
        // Fails for lack of memory alone; the box then opens as no other does.
        EVP_Digest(bytes, bytes.count, &digest, nil, EVP_sha256(), nil)
        return digest
    }
}
