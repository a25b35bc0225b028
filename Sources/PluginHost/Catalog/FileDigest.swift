// SPDX-License-Identifier: Apache-2.0

import COpenSSL
import Glibc
import Model

/// SHA-256 of open files.
package enum FileDigest {
    /// The digest of a regular file; nil when it cannot be read.
    package static func sha256(path: String) -> String? {
        let file = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
        guard file >= 0 else { return nil }
        defer { close(file) }
        return sha256(file)
    }

    /// The digest of everything that a descriptor's file holds, whatever its position.
    ///
    /// - Returns: 64 lower-case hexadecimal digits; nil when the file cannot be read.
    /// Source: EVP_DigestInit(3ssl).
    static func sha256(_ file: Int32) -> String? {
        guard let context = EVP_MD_CTX_new() else { return nil }
        defer { EVP_MD_CTX_free(context) }
        guard EVP_DigestInit_ex(context, EVP_sha256(), nil) == 1 else { return nil }
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        var offset: off_t = 0
        while true {
            let count = buffer.withUnsafeMutableBytes { pread(file, $0.baseAddress, $0.count, offset) }
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else { return nil }
            if count == 0 { break }
            guard EVP_DigestUpdate(context, buffer, count) == 1 else { return nil }
            offset += off_t(count)
        }
        var digest = [UInt8](repeating: 0, count: 32)
        var size: UInt32 = 0
        guard EVP_DigestFinal_ex(context, &digest, &size) == 1, size == 32 else { return nil }
        return digest.hex
    }
}
