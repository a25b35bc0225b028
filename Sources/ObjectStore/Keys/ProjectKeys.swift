// SPDX-License-Identifier: Apache-2.0

import COpenSSL
import Model

/// The keys that wrap data keys, one file a project: `<directory>/<project>.key`, 0600.
///
/// A data key seals one backup and travels in its header, wrapped by the project's newest key. Wrapped form, 65 bytes:
/// format (1 byte, 1), key version (4, big-endian), nonce (12, random), the key encrypted with AES-256-GCM (32), tag (16); project
/// and backup id are associated data, so a wrapped key fits one backup only.
package struct ProjectKeys: Sendable {
    private let directory: String

    /// - Parameter directory: Made 0700 when the first key is.
    package init(directory: String) { self.directory = directory }

    /// A random key for one backup, in clear and wrapped. Makes the project's key when there is none. Blocks briefly.
    ///
    /// - Throws: `.key`, `.invalidName`, `.full`, `.permissionDenied`, `.unavailable`.
    package func makeDataKey(
        projectID: String, backupID: String
    ) throws(ObjectStoreError) -> (dataKey: [UInt8], wrapped: [UInt8]) {
        let file = try ProjectKeyFile(directory: directory, projectID: projectID)
        let newest = try file.newest()
        let dataKey = try Self.random(32)
        let nonce = try Self.random(12)
        let content = UnsafeMutableRawBufferPointer.allocate(byteCount: 32 + 16, alignment: 16)
        defer { content.deallocate() }
        content.copyBytes(from: dataKey)
        guard let base = content.baseAddress else { throw ObjectStoreError(.unavailable, "No memory.") }
        try newest.key.seal(
            UnsafeMutableRawBufferPointer(rebasing: content[0..<32]), nonce: nonce,
            associatedData: Self.associatedData(projectID, backupID, newest.version), tag: base + 32)
        return (dataKey, [1] + SealFormat.bytes(newest.version) + nonce + Array(content))
    }

    /// The data key inside `wrapped`. Blocks briefly.
    ///
    /// - Throws: `.key` when it was wrapped for another project or backup, by a key that is gone, or is damaged.
    package func unwrap(
        _ wrapped: [UInt8], projectID: String, backupID: String
    ) throws(ObjectStoreError) -> [UInt8] {
        guard wrapped.count == 65, wrapped[0] == 1 else {
            throw ObjectStoreError(.key, "The wrapped key of backup \(backupID) is damaged or of a newer format.")
        }
        let version = UInt32(SealFormat.number(wrapped[1..<5]))
        let file = try ProjectKeyFile(directory: directory, projectID: projectID)
        let key = try file.key(version: version)
        let content = UnsafeMutableRawBufferPointer.allocate(byteCount: 48, alignment: 16)
        defer {
            OPENSSL_cleanse(content.baseAddress, content.count)
            content.deallocate()
        }
        content.copyBytes(from: wrapped[17...])
        guard let base = content.baseAddress,
            key.open(
                UnsafeMutableRawBufferPointer(rebasing: content[0..<32]), nonce: Array(wrapped[5..<17]),
                associatedData: Self.associatedData(projectID, backupID, version), tag: base + 32)
        else {
            throw ObjectStoreError(
                .key,
                "The wrapped key of backup \(backupID) does not fit project \(projectID); was its key file replaced?")
        }
        return Array(content[0..<32])
    }

    /// Adds a new key to the project's file; new backups use it, old ones stay readable. Blocks briefly.
    ///
    /// - Returns: The new key's version.
    @discardableResult
    package func rotate(projectID: String) throws(ObjectStoreError) -> UInt32 {
        try ProjectKeyFile(directory: directory, projectID: projectID).rotate()
    }

    private static func associatedData(_ projectID: String, _ backupID: String, _ version: UInt32) -> [UInt8] {
        Array("trove data key".utf8) + [0] + Array(projectID.utf8) + [0] + Array(backupID.utf8) + [0]
            + SealFormat.bytes(version)
    }

    /// Unpredictable bytes for keys. Source: RAND_bytes(3).
    static func random(_ count: Int) throws(ObjectStoreError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        guard RAND_priv_bytes(&bytes, Int32(count)) == 1 else {
            throw ObjectStoreError(.unavailable, "libcrypto has no random bytes.")
        }
        return bytes
    }
}
