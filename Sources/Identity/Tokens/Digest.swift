// SPDX-License-Identifier: Apache-2.0

import COpenSSL
import Model

/// SHA-256 of what is in memory.
package enum Digest {
    /// 64 lower-case hexadecimal digits.
    static func sha256(_ text: String) -> String { sha256(Array(text.utf8)) }

    /// 64 lower-case hexadecimal digits.
    package static func sha256(_ bytes: [UInt8]) -> String {
        var digest = [UInt8](repeating: 0, count: 32)
        // Hashing bytes in memory with a built-in algorithm fails for lack of memory alone; the digest then
        // stays zero, which is no token's.
        EVP_Digest(bytes, bytes.count, &digest, nil, EVP_sha256(), nil)
        return digest.hex
    }

    /// A stable id of 32 hexadecimal digits for things that are not stored.
    static func id(_ text: String) -> String { String(sha256(text).prefix(32)) }
}
