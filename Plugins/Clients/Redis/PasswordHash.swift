// SPDX-License-Identifier: Apache-2.0

import COpenSSL
import TrovePluginKit

/// Passwords as an access list has them: nobody but the client knows the text.
package enum PasswordHash {
    /// The rule `#` and 64 hexadecimal digits of SHA-256. Source: Redis, "ACL SETUSER".
    package static func rule(_ password: String) throws -> String {
        var digest = [UInt8](repeating: 0, count: 32)
        let bytes = Array(password.utf8)
        guard EVP_Digest(bytes, bytes.count, &digest, nil, EVP_sha256(), nil) == 1 else {
            throw PluginFailure(.internal, "the password could not be hashed")
        }
        let digits = Array("0123456789abcdef".utf8)
        return "#" + String(decoding: digest.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }
}
