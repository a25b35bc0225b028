// SPDX-License-Identifier: Apache-2.0

import COpenSSL
package import Model

/// Seals with a key of each project's own that follows from one passphrase, which every process of the control plane has.
///
/// Shape: Base64 of format (1 byte, 2) and what `SecretCipher` makes. The master key is PBKDF2-HMAC-SHA-256 of the passphrase, a
/// project's key HMAC-SHA-256 of its id under it.
package final class PassphraseSeal: SecretSeal {
    private static let format: UInt8 = 2
    private static let rounds: Int32 = 200_000

    private let master: [UInt8]

    /// Computes for about a tenth of a second.
    ///
    /// - Throws: `.unavailable` when libcrypto cannot.
    package init(passphrase: Secret) throws(KeyManagerError) {
        var key = [UInt8](repeating: 0, count: SecretCipher.keyBytes)
        let (text, salt) = (Array(passphrase.revealed.utf8), Array("trove key manager".utf8))
        let done = text.withUnsafeBytes { bytes in
            PKCS5_PBKDF2_HMAC(
                bytes.baseAddress?.assumingMemoryBound(to: CChar.self), Int32(bytes.count), salt, Int32(salt.count),
                Self.rounds, EVP_sha256(), Int32(key.count), &key)
        }
        guard done == 1 else { throw Self.failure }
        master = key
    }

    package func seal(
        _ payload: [UInt8], projectID: String, secretID: String
    ) async throws(KeyManagerError) -> String {
        var key = try key(of: projectID)
        defer { key.cleanse() }
        return Base64.encode(
            [Self.format] + (try SecretCipher.seal(payload, key: key, projectID: projectID, secretID: secretID)))
    }

    package func open(
        _ box: String, projectID: String, secretID: String
    ) async throws(KeyManagerError) -> [UInt8] {
        guard let bytes = Base64.decode(box), bytes.first == Self.format else { throw SecretCipher.damaged(secretID) }
        var key = try key(of: projectID)
        defer { key.cleanse() }
        return try SecretCipher.open(Array(bytes.dropFirst()), key: key, projectID: projectID, secretID: secretID)
    }

    private func key(of projectID: String) throws(KeyManagerError) -> [UInt8] {
        let text = Array("project ".utf8) + Array(projectID.utf8)
        var key = [UInt8](repeating: 0, count: SecretCipher.keyBytes)
        var count: UInt32 = 0
        guard HMAC(EVP_sha256(), master, Int32(master.count), text, text.count, &key, &count) != nil,
            Int(count) == key.count
        else { throw Self.failure }
        return key
    }

    private static let failure = KeyManagerError(.unavailable, "libcrypto could not make a project's key.")
}
