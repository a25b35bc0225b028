// SPDX-License-Identifier: Apache-2.0

import COpenSSL
import Model

/// Texts as boxes that only the holder of one passphrase makes and reads.
///
/// Shape: standard Base64 of 16 random bytes and the text in AES-256-CBC, padded with n bytes of value n to a multiple of 16.
/// The cipher's key is the 32 ASCII characters of the passphrase's MD5 in lower-case hex. Nothing authenticates a box: what was
/// changed shows in the padding and in the text, so a reader checks both. Source: encrypted RPC of the reference service.
struct SealCipher: Sendable {
    private static let block = 16
    private let key: [UInt8]

    /// - Throws: `badMessage` when libcrypto has no MD5.
    init(passphrase: some Sequence<UInt8>) throws(MessagingError) {
        let text = Array(passphrase)
        var digest = [UInt8](repeating: 0, count: Self.block)
        guard EVP_Digest(text, text.count, &digest, nil, EVP_md5(), nil) == 1 else {
            throw MessagingError(.badMessage, "libcrypto has no MD5, which the key of sealed messages is made with")
        }
        key = Array(digest.hex.utf8)
    }

    /// - Throws: `badMessage` when libcrypto fails.
    func seal(
        _ text: [UInt8], random: any RandomSource = SystemRandomSource()
    ) throws(MessagingError) -> String {
        var box = random.bytes(Self.block)
        let start = box
        box.append(contentsOf: repeatElement(0, count: text.count + Self.block))
        let written = box.withUnsafeMutableBytes { out -> Int in
            run(encrypting: true, start, text, UnsafeMutableRawBufferPointer(rebasing: out[Self.block...]))
        }
        guard written > 0 else { throw MessagingError(.badMessage, "a text could not be sealed") }
        let count = Self.block + written
        return String(unsafeUninitializedCapacity: (count + 2) / 3 * 4 + 1) { out in
            max(0, Int(EVP_EncodeBlock(out.baseAddress, box, Int32(count))))
        }
    }

    /// The text of a box.
    ///
    /// - Throws: `badMessage` for what is no box, or one of another passphrase (255 times of 256: the rest is no text).
    func open(_ box: String) throws(MessagingError) -> [UInt8] {
        let digits = Array(box.utf8)
        let padding = digits.suffix(2).count { $0 == UInt8(ascii: "=") }
        var bytes = [UInt8](repeating: 0, count: digits.count / 4 * 3 + 3)
        let decoded = Int(EVP_DecodeBlock(&bytes, digits, Int32(digits.count))) - padding
        guard digits.count % 4 == 0, decoded >= 2 * Self.block, decoded % Self.block == 0 else {
            throw MessagingError(.badMessage, "a sealed value is not Base64 of whole blocks")
        }
        var text = [UInt8](repeating: 0, count: decoded)
        let written = text.withUnsafeMutableBytes { out in
            run(encrypting: false, Array(bytes[..<Self.block]), Array(bytes[Self.block..<decoded]), out)
        }
        guard written >= 0 else { throw MessagingError(.badMessage, "a sealed value does not open with this key") }
        text.removeLast(text.count - written)
        return text
    }

    /// Safe to share: never changed after it is made, counted by libcrypto.
    private nonisolated(unsafe) static let cipher = EVP_CIPHER_fetch(nil, "AES-256-CBC", nil)

    /// - Returns: Bytes written; -1 when the cipher fails or the padding is wrong.
    private func run(
        encrypting: Bool, _ start: [UInt8], _ input: [UInt8], _ output: UnsafeMutableRawBufferPointer
    ) -> Int {
        guard let context = EVP_CIPHER_CTX_new() else { return -1 }
        defer {
            EVP_CIPHER_CTX_free(context)
            ERR_clear_error()
        }
        let out = output.assumingMemoryBound(to: UInt8.self).baseAddress
        var (count, rest): (Int32, Int32) = (0, 0)
        guard EVP_CipherInit_ex(context, Self.cipher, nil, key, start, encrypting ? 1 : 0) == 1,
            EVP_CipherUpdate(context, out, &count, input, Int32(input.count)) == 1,
            EVP_CipherFinal_ex(context, out?.advanced(by: Int(count)), &rest) == 1
        else { return -1 }
        return Int(count + rest)
    }
}
