// SPDX-License-Identifier: Apache-2.0

import COpenSSL
import Glibc
import Model

/// A public key that the operator trusts.
struct TrustKey: Sendable, Hashable {
    /// The key file's name without `.pem`.
    let name: String
    /// 32 bytes.
    let bytes: [UInt8]

    /// First 16 hexadecimal digits of the SHA-256 of the key's bytes.
    var fingerprint: String { SigningKey.fingerprint(bytes) }
}

/// The operator's directory of trusted keys.
enum TrustKeys {
    private static let limit = 1 << 14

    /// Reads every `*.pem`; owner and mode of the directory, of those above it and of each file are checked.
    ///
    /// - Throws: `PluginRefusal` with cause `signature` naming the file: a key that cannot be read is not passed over, as
    ///   somebody may have damaged it to be.
    static func read(_ directory: String) throws(PluginRefusal) -> [TrustKey] {
        guard !directory.isEmpty else { return [] }
        guard access(directory, F_OK) == 0 else { return [] }
        do throws(PluginRefusal) {
            let root = try SecureFile.openRoot(directory)
            defer { close(root.directory) }
            var keys: [TrustKey] = []
            for name in try PluginCatalog.names(root.directory, path: root.path) where name.hasSuffix(".pem") {
                let path = root.path + "/" + name
                let file = try SecureFile.openFile(name, in: root.directory, path: path)
                defer { close(file) }
                guard let text = SecureFile.contents(file, limit: limit), let bytes = SigningKey.publicBytes(pem: text)
                else { throw PluginRefusal(path: path, cause: .signature, message: "is no Ed25519 public key in PEM") }
                keys.append(TrustKey(name: String(name.dropLast(4)), bytes: bytes))
            }
            return keys
        } catch {
            var refusal = error
            refusal.cause = .signature
            refusal.message = "the trusted keys cannot be used: \(error.path) \(error.message)"
            throw refusal
        }
    }
}
