// SPDX-License-Identifier: Apache-2.0

import COpenSSL
import CZstd
import Model
import Testing

@testable import ObjectStore

@Suite("The sealed file")
struct SealFormatTests {
    /// Reads a one-frame file by docs/backup-format.md alone.
    @Test("the bytes are those of the format's description")
    func layout() async throws {
        let plain = Array("hello, backup".utf8)
        let file = try await Sample.seal(plain, backupID: "b-1", frameBytes: 65536)
        #expect(Array(file[0..<8]) == Array("TRVB".utf8) + [1, 1, 1, 0])
        #expect(Array(file[8..<16]) == [0, 1, 0, 0, 0, 3, 0, 3])
        #expect(Array(file[16..<22]) == Array("b-1".utf8) + Sample.wrapped)
        let content = file.count - 22 - 4 - 16
        #expect(Array(file[22..<26]) == [0x80, 0, 0, UInt8(content)])

        var digest = [UInt8](repeating: 0, count: 32)
        EVP_Digest(Array(file[0..<22]), 22, &digest, nil, EVP_sha256(), nil)
        let aad = digest + Array("b-1".utf8) + [0, 0, 0, 0, 0, 0, 0, 0] + [1]
        var compressed = [UInt8](repeating: 0, count: content)
        let nonce = [UInt8](repeating: 0, count: 12)
        #expect(
            trove_gcm_open(
                Sample.key, nonce, aad, Int32(aad.count), Array(file[26..<(26 + content)]), Int32(content), &compressed,
                Array(file.suffix(16))) == 1)
        var text = [UInt8](repeating: 0, count: 100)
        let count = ZSTD_decompress(&text, text.count, compressed, compressed.count)
        #expect(Array(text.prefix(count)) == plain)
    }

    @Test("the cipher is AES-256-GCM as NIST has it")
    func knownAnswer() throws {
        // Source: The Galois/Counter Mode of Operation, test case 14.
        var sealed = [UInt8](repeating: 0, count: 16)
        var tag = [UInt8](repeating: 0, count: 16)
        let zeros = [UInt8](repeating: 0, count: 32)
        #expect(trove_gcm_seal(zeros, zeros, [], 0, zeros, 16, &sealed, &tag) == 1)
        #expect(sealed.hex == "cea7403d4d606b6e074ec5d3baf39d18")
        #expect(tag.hex == "d0d1c8a799996bf0265b98b5d48ab919")
    }

    @Test("a header that is cut, foreign or newer is refused")
    func headers() async throws {
        let file = try await Sample.seal([1, 2, 3])
        for cut in 0..<21 { #expect(throws: ObjectStoreError.self) { try header(Array(file[0..<cut])) } }
        for index in [0, 4, 5, 6, 7, 8, 12, 16] {
            var changed = file
            changed[index] ^= 0x80
            #expect(throws: ObjectStoreError.self) { try header(changed) }
        }
        let read = try header(file)
        #expect(read == SealHeader(version: 1, backupID: "b1", wrappedKey: Sample.wrapped, frameBytes: 4096))
    }

    private func header(_ bytes: [UInt8]) throws -> SealHeader {
        try BackupSeal.header(source: MemoryObject(bytes))
    }
}
