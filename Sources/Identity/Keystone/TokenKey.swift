// SPDX-License-Identifier: Apache-2.0

import COpenSSL

/// What a token is remembered by: its SHA-256, so that memory holds no tokens.
struct TokenKey: Sendable, Hashable {
    /// A token that may be expired is another question.
    enum Expiry: Sendable, Hashable { case refused, allowed }

    private let digest: (UInt64, UInt64, UInt64, UInt64)
    let expiry: Expiry

    init(_ token: String, expiry: Expiry) {
        var token = token
        var digest: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
        let isDone = token.withUTF8 { bytes in
            withUnsafeMutableBytes(of: &digest) { target in
                EVP_Digest(
                    bytes.baseAddress, bytes.count, target.bindMemory(to: UInt8.self).baseAddress, nil, EVP_sha256(),
                    nil)
            }
        }
        // It fails for lack of memory alone; one digest for two tokens would let one in for the other.
        precondition(isDone == 1, "libcrypto has no memory for a digest")
        self.digest = digest
        self.expiry = expiry
    }

    static func == (left: TokenKey, right: TokenKey) -> Bool {
        left.digest == right.digest && left.expiry == right.expiry
    }

    func hash(into hasher: inout Hasher) {
        // Half of a digest tells any two tokens apart that somebody could find.
        hasher.combine(digest.0)
        hasher.combine(digest.1)
    }
}
