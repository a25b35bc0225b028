// SPDX-License-Identifier: Apache-2.0

package import Model

/// The key that one instance and the control plane share.
///
/// Shape: 32 characters of A-Z, a-z, 0-9 when made here; any text that is not empty when read.
/// Source: per-instance RPC key of the reference service.
package struct RPCKey: Sendable, CustomStringConvertible, CustomReflectable {
    package static let length = 32

    package let secret: Secret
    let cipher: SealCipher

    /// - Throws: `badMessage` for an empty text.
    package init(_ secret: Secret) throws(MessagingError) {
        guard !secret.revealed.isEmpty else { throw MessagingError(.badMessage, "an RPC key is empty") }
        self.secret = secret
        cipher = try SealCipher(passphrase: secret.revealed.utf8)
    }

    /// A new key.
    package static func make(random: any RandomSource = SystemRandomSource()) throws(MessagingError) -> RPCKey {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789".utf8)
        var text: [UInt8] = []
        while text.count < length {
            text += random.bytes(length).filter { $0 < 248 }.map { alphabet[Int($0) % alphabet.count] }
        }
        return try RPCKey(Secret(String(decoding: text.prefix(length), as: UTF8.self)))
    }

    package var description: String { "<redacted>" }
    package var customMirror: Mirror { Mirror(self, children: []) }
}

/// Instances' keys as they lie in the state store: the box of the raw key text under the control plane's own passphrase.
///
/// Source: `instances.encrypted_key` of the reference service.
package struct RPCKeyBox: Sendable {
    private let cipher: SealCipher

    /// - Parameter passphrase: The same in every process of the control plane.
    /// - Throws: `badMessage` for an empty one.
    package init(passphrase: Secret) throws(MessagingError) {
        guard !passphrase.revealed.isEmpty else {
            throw MessagingError(.badMessage, "the passphrase of instances' RPC keys is empty")
        }
        cipher = try SealCipher(passphrase: passphrase.revealed.utf8)
    }

    package func seal(
        _ key: RPCKey, random: any RandomSource = SystemRandomSource()
    ) throws(MessagingError) -> String {
        try cipher.seal(Array(key.secret.revealed.utf8), random: random)
    }

    /// - Throws: `badMessage` for a box of another passphrase.
    package func open(_ box: String) throws(MessagingError) -> RPCKey {
        let text: [UInt8]
        do {
            text = try cipher.open(box)
        } catch {
            throw Self.foreign
        }
        guard !text.isEmpty, text.allSatisfy({ (0x21...0x7E).contains($0) }) else { throw Self.foreign }
        return try RPCKey(Secret(String(decoding: text, as: UTF8.self)))
    }

    private static let foreign = MessagingError(
        .badMessage, "an instance's RPC key does not open: it was stored under another passphrase")
}
