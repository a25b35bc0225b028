// SPDX-License-Identifier: Apache-2.0

/// Takes the message out of an envelope in its usual form, which is nearly every one, without reading it as JSON first.
///
/// Shape: `{"oslo.version": "2.0", "oslo.message": "…"}` in this order, with a blank or none after colons and commas.
enum EnvelopeScanner {
    private static let version = Array(#"{"oslo.version":"2.0","oslo.message":""#.utf8)

    /// The message's bytes; nil for any other form, and for what may be wrong in some way.
    static func message(_ body: [UInt8]) -> [UInt8]? {
        guard body.count > version.count + 2, body[body.count - 1] == UInt8(ascii: "}"),
            body[body.count - 2] == UInt8(ascii: "\"")
        else { return nil }
        var position = 0
        for expected in version {
            if body[position] == UInt8(ascii: " "), position > 0, isSeparator(body[position - 1]) { position += 1 }
            guard position < body.count, body[position] == expected else { return nil }
            position += 1
        }
        guard position <= body.count - 2 else { return nil }
        return unescaped(body[position..<body.count - 2])
    }

    private static func isSeparator(_ byte: UInt8) -> Bool { byte == UInt8(ascii: ":") || byte == UInt8(ascii: ",") }

    /// What a JSON string's contents stand for; nil for a quote, a control character or an escape that is not whole.
    private static func unescaped(_ text: ArraySlice<UInt8>) -> [UInt8]? {
        text.withUnsafeBufferPointer { text -> [UInt8]? in
            var bytes: [UInt8] = []
            bytes.reserveCapacity(text.count)
            var position = 0
            while position < text.count {
                let byte = text[position]
                guard byte == UInt8(ascii: "\\") else {
                    guard byte >= 0x20, byte != UInt8(ascii: "\"") else { return nil }
                    bytes.append(byte)
                    position += 1
                    continue
                }
                guard position + 1 < text.count else { return nil }
                switch text[position + 1] {
                case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): bytes.append(text[position + 1])
                case UInt8(ascii: "n"): bytes.append(0x0A)
                case UInt8(ascii: "r"): bytes.append(0x0D)
                case UInt8(ascii: "t"): bytes.append(0x09)
                // A message is JSON with escapes of its own, so these are rare; the whole reader knows them.
                default: return nil
                }
                position += 2
            }
            return bytes
        }
    }
}
