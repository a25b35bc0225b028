// SPDX-License-Identifier: Apache-2.0

import COpenSSL

/// A 256-bit key in memory that is overwritten when it is let go.
///
/// Reason for `@unchecked`: the bytes do not change between `init` and `deinit`.
final class KeyBytes: @unchecked Sendable {
    private let memory: UnsafeMutableRawBufferPointer

    /// - Throws: `.key` unless there are 32 bytes.
    init(_ bytes: [UInt8]) throws(ObjectStoreError) {
        guard bytes.count == TROVE_GCM_KEY_BYTES else {
            throw ObjectStoreError(.key, "A key has 32 bytes, this one has \(bytes.count).")
        }
        memory = .allocate(byteCount: bytes.count, alignment: 16)
        memory.copyBytes(from: bytes)
    }

    deinit {
        OPENSSL_cleanse(memory.baseAddress, memory.count)
        memory.deallocate()
    }

    /// Encrypts `content` in place and writes its tag.
    func seal(
        _ content: UnsafeMutableRawBufferPointer, nonce: [UInt8], associatedData: [UInt8],
        tag: UnsafeMutableRawPointer
    ) throws(ObjectStoreError) {
        let done = trove_gcm_seal(
            pointer, nonce, associatedData, Int32(associatedData.count), Self.bytes(content), Int32(content.count),
            Self.bytes(content), tag.assumingMemoryBound(to: UInt8.self))
        guard done == 1 else { throw ObjectStoreError(.unavailable, "libcrypto could not encrypt.") }
    }

    /// Decrypts `content` in place; false when key, nonce, associated data, content and tag do not belong together.
    func open(
        _ content: UnsafeMutableRawBufferPointer, nonce: [UInt8], associatedData: [UInt8], tag: UnsafeRawPointer
    ) -> Bool {
        trove_gcm_open(
            pointer, nonce, associatedData, Int32(associatedData.count), Self.bytes(content), Int32(content.count),
            Self.bytes(content), tag.assumingMemoryBound(to: UInt8.self)) == 1
    }

    private var pointer: UnsafePointer<UInt8>? {
        memory.baseAddress.map { UnsafePointer($0.assumingMemoryBound(to: UInt8.self)) }
    }

    private static func bytes(_ buffer: UnsafeMutableRawBufferPointer) -> UnsafeMutablePointer<UInt8>? {
        buffer.baseAddress?.assumingMemoryBound(to: UInt8.self)
    }
}

extension [UInt8] {
    /// Overwrites the bytes of this array. Copies that others hold stay.
    mutating func cleanse() {
        withUnsafeMutableBytes { OPENSSL_cleanse($0.baseAddress, $0.count) }
        removeAll()
    }
}
