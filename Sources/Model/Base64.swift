// SPDX-License-Identifier: Apache-2.0

/// Base64 with padding and without line breaks. Source: RFC 4648 §4.
package enum Base64 {
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    package static func encode(_ bytes: some Collection<UInt8>) -> String {
        var text: [UInt8] = []
        text.reserveCapacity((bytes.count + 2) / 3 * 4)
        var group: UInt32 = 0
        var count = 0
        for byte in bytes {
            group = group << 8 | UInt32(byte)
            count += 1
            guard count == 3 else { continue }
            for shift in [18, 12, 6, 0] { text.append(alphabet[Int(group >> shift & 63)]) }
            (group, count) = (0, 0)
        }
        if count == 1 {
            text += [alphabet[Int(group >> 2 & 63)], alphabet[Int(group << 4 & 63)]] + Array("==".utf8)
        } else if count == 2 {
            text += [alphabet[Int(group >> 10 & 63)], alphabet[Int(group >> 4 & 63)], alphabet[Int(group << 2 & 63)]]
            text += Array("=".utf8)
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// The bytes; `nil` for a text that is not canonical Base64.
    package static func decode(_ text: String) -> [UInt8]? {
        let digits = Array(text.utf8)
        guard digits.count % 4 == 0 else { return nil }
        let padding = digits.suffix(2).filter { $0 == UInt8(ascii: "=") }.count
        var bytes: [UInt8] = []
        bytes.reserveCapacity(digits.count / 4 * 3)
        var group: UInt32 = 0
        for (index, digit) in digits.dropLast(padding).enumerated() {
            guard let value = alphabet.firstIndex(of: digit) else { return nil }
            group = group << 6 | UInt32(value)
            if index % 4 == 3 {
                bytes += [UInt8(group >> 16 & 255), UInt8(group >> 8 & 255), UInt8(group & 255)]
                group = 0
            }
        }
        switch padding {
        case 0: break
        case 1: bytes += [UInt8(group >> 10 & 255), UInt8(group >> 2 & 255)]
        default: bytes.append(UInt8(group >> 4 & 255))
        }
        return encode(bytes) == text ? bytes : nil
    }
}
