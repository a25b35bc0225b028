// SPDX-License-Identifier: Apache-2.0

import COpenSSL

/// AES-256-GCM over a payload: nonce (12 bytes, random), the bytes, tag (16).
enum SecretCipher {
    static let keyBytes = Int(TROVE_GCM_KEY_BYTES)
    private static let nonceBytes = Int(TROVE_GCM_NONCE_BYTES)
    private static let tagBytes = Int(TROVE_GCM_TAG_BYTES)

    static func seal(
        _ payload: [UInt8], key: [UInt8], projectID: String, secretID: String
    ) throws(KeyManagerError) -> [UInt8] {
        var nonce = [UInt8](repeating: 0, count: nonceBytes)
        var content = [UInt8](repeating: 0, count: payload.count)
        var tag = [UInt8](repeating: 0, count: tagBytes)
        let associated = associatedData(projectID, secretID)
        guard key.count == keyBytes, RAND_bytes(&nonce, Int32(nonceBytes)) == 1,
            trove_gcm_seal(
                key, nonce, associated, Int32(associated.count), payload, Int32(payload.count), &content, &tag) == 1
        else { throw KeyManagerError(.unavailable, "libcrypto could not encrypt a secret.") }
        return nonce + content + tag
    }

    static func open(
        _ box: [UInt8], key: [UInt8], projectID: String, secretID: String
    ) throws(KeyManagerError) -> [UInt8] {
        guard box.count >= nonceBytes + tagBytes, key.count == keyBytes else { throw damaged(secretID) }
        let nonce = Array(box.prefix(nonceBytes))
        let sealed = Array(box.dropFirst(nonceBytes).dropLast(tagBytes))
        let tag = Array(box.suffix(tagBytes))
        var payload = [UInt8](repeating: 0, count: sealed.count)
        let associated = associatedData(projectID, secretID)
        guard
            trove_gcm_open(
                key, nonce, associated, Int32(associated.count), sealed, Int32(sealed.count), &payload, tag) == 1
        else { throw damaged(secretID) }
        return payload
    }

    static func damaged(_ secretID: String) -> KeyManagerError {
        KeyManagerError(.key, "Secret \(secretID) does not open with this control plane's keys; were they replaced?")
    }

    private static func associatedData(_ projectID: String, _ secretID: String) -> [UInt8] {
        Array("trove secret".utf8) + [0] + Array(projectID.utf8) + [0] + Array(secretID.utf8)
    }
}

extension [UInt8] {
    /// Overwrites the bytes of this array. Copies that others hold stay.
    mutating func cleanse() {
        withUnsafeMutableBytes { OPENSSL_cleanse($0.baseAddress, $0.count) }
        removeAll()
    }
}
