// SPDX-License-Identifier: Apache-2.0

import COpenSSL

/// A running SHA-256. Source: EVP_DigestInit(3).
struct SHA256: ~Copyable {
    private let context: OpaquePointer

    /// - Throws: `.unavailable` when libcrypto has no memory or no SHA-256.
    init() throws(ObjectStoreError) {
        guard let context = EVP_MD_CTX_new() else { throw ObjectStoreError(.unavailable, "libcrypto has no memory.") }
        guard EVP_DigestInit_ex(context, EVP_sha256(), nil) == 1 else {
            EVP_MD_CTX_free(context)
            throw ObjectStoreError(.unavailable, "libcrypto has no SHA-256.")
        }
        self.context = context
    }

    deinit { EVP_MD_CTX_free(context) }

    borrowing func update(_ bytes: UnsafeRawBufferPointer) { EVP_DigestUpdate(context, bytes.baseAddress, bytes.count) }

    /// The 32 bytes; the digest is not to be used afterwards.
    borrowing func finish() -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: 32)
        EVP_DigestFinal_ex(context, &digest, nil)
        return digest
    }

    /// The digest of `bytes`.
    static func digest(_ bytes: [UInt8]) throws(ObjectStoreError) -> [UInt8] {
        let hash = try SHA256()
        bytes.withUnsafeBytes { hash.update($0) }
        return hash.finish()
    }
}
