// SPDX-License-Identifier: Apache-2.0

/// The bytes of an XML document that is written, and what is escaped in them.
struct XMLOutput {
    var bytes: [UInt8] = []

    mutating func put(_ text: StaticString) { put(XMLBytes(text)) }

    @inline(__always)
    mutating func put(_ piece: XMLBytes) {
        guard let source = piece.baseAddress else { return }
        bytes.append(addingCapacity: piece.count) { span in
            span.withUnsafeMutableBufferPointer { room, initialized in
                guard let start = room.baseAddress else { return }
                (start + initialized).initialize(from: source, count: piece.count)
                initialized += piece.count
            }
        }
    }

    /// A new line, four blanks a level.
    mutating func breakLine(_ depth: Int) {
        bytes.append(0x0A)
        var count = depth * 4
        while count > 0 {
            put(XMLBytes(rebasing: Self.blanks.prefix(count)))
            count -= Self.blanks.count
        }
    }

    private static var blanks: XMLBytes { XMLBytes("                                ") }

    // MARK: - Names

    /// A name of an element. A byte that names cannot have is written `_xHH_`; plugins alone have such members.
    mutating func putName(_ name: XMLBytes) {
        guard !Self.isName(name) else { return put(name) }
        if name.isEmpty { put("_") }
        for (index, byte) in name.enumerated() {
            if Self.isNameByte(byte), index > 0 || Self.isNameStart(byte) {
                bytes.append(byte)
            } else {
                put("_x")
                bytes.append(Self.digits[Int(byte >> 4)])
                bytes.append(Self.digits[Int(byte & 15)])
                put("_")
            }
        }
    }

    private static func isName(_ name: XMLBytes) -> Bool {
        guard let first = name.first, isNameStart(first) else { return false }
        for byte in name where !isNameByte(byte) { return false }
        return true
    }

    /// Of ASCII; a colon would be a prefix.
    private static func isNameStart(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "_"): true
        default: false
        }
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."): true
        default: isNameStart(byte)
        }
    }

    private static let digits = Array("0123456789ABCDEF".utf8)

    // MARK: - Texts

    /// A JSON string's text. What no XML document may have becomes U+FFFD.
    ///
    /// - Parameter isEscaped: Whether the JSON has escapes.
    mutating func putEscaped(_ text: XMLBytes, isEscaped: Bool, inAttribute: Bool) {
        var start = 0
        var index = 0
        while true {
            index = WordBytes.skip(text, from: index, Self.marksCare)
            guard index < text.count else { break }
            let byte = text[index]
            guard Self.needsCare(byte) else {
                index += 1
                continue
            }
            if index > start { put(XMLBytes(rebasing: text[start..<index])) }
            if byte == UInt8(ascii: "\\"), isEscaped {
                let scalar = Self.unescape(text, &index)
                put(scalar, inAttribute: inAttribute)
            } else if byte == 0xEF {
                let end = min(index + 3, text.count)
                let isOutside = end - index == 3 && text[index + 1] == 0xBF && text[index + 2] >= 0xBE
                put(isOutside ? XMLBytes("\u{FFFD}") : XMLBytes(rebasing: text[index..<end]))
                index = end
            } else {
                put(Unicode.Scalar(byte), inAttribute: inAttribute)
                index += 1
            }
            start = index
        }
        if start < text.count { put(XMLBytes(rebasing: text[start...])) }
    }

    @inline(__always)
    private static func marksCare(_ word: UInt64) -> UInt64 {
        WordBytes.below(word, 0x20) | WordBytes.equal(word, 0x5C) | WordBytes.equal(word, 0x3C)
            | WordBytes.equal(word, 0x3E) | WordBytes.equal(word, 0x26) | WordBytes.equal(word, 0x22)
            | WordBytes.equal(word, 0xEF)
    }

    @inline(__always)
    private static func needsCare(_ byte: UInt8) -> Bool {
        byte < 0x20 || byte == UInt8(ascii: "\\") || byte == UInt8(ascii: "<") || byte == UInt8(ascii: ">")
            || byte == UInt8(ascii: "&") || byte == UInt8(ascii: "\"") || byte == 0xEF
    }

    private mutating func put(_ scalar: Unicode.Scalar, inAttribute: Bool) {
        switch scalar {
        case "<": put("&lt;")
        case ">": put("&gt;")
        case "&": put("&amp;")
        case "\"" where inAttribute: put("&quot;")
        case "\r": put("&#13;")
        case "\n" where inAttribute: put("&#10;")
        case "\t" where inAttribute: put("&#9;")
        default:
            let scalar = XMLCharacters.isCharacter(scalar.value) ? scalar : "\u{FFFD}"
            bytes.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
        }
    }

    /// The character of the escape at `index`, which goes behind it.
    private static func unescape(_ text: XMLBytes, _ index: inout Int) -> Unicode.Scalar {
        guard index + 1 < text.count else {
            index = text.count
            return "\u{FFFD}"
        }
        let byte = text[index + 1]
        index += 2
        switch byte {
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "u"): break
        case UInt8(ascii: "b"), UInt8(ascii: "f"): return "\u{FFFD}"
        default: return Unicode.Scalar(byte)
        }
        let first = unit(text, &index)
        guard (0xD800..<0xDC00).contains(first), index + 1 < text.count, text[index] == UInt8(ascii: "\\"),
            text[index + 1] == UInt8(ascii: "u")
        else { return Unicode.Scalar(first) ?? "\u{FFFD}" }
        index += 2
        let second = unit(text, &index)
        guard (0xDC00..<0xE000).contains(second) else { return "\u{FFFD}" }
        return Unicode.Scalar(0x10000 + (first - 0xD800) << 10 + (second - 0xDC00)) ?? "\u{FFFD}"
    }

    /// Four hexadecimal digits.
    private static func unit(_ text: XMLBytes, _ index: inout Int) -> UInt32 {
        var value: UInt32 = 0
        for byte in text[min(index, text.count)..<min(index + 4, text.count)] {
            value = value << 4 | UInt32(Character(Unicode.Scalar(byte)).hexDigitValue ?? 0)
        }
        index = min(index + 4, text.count)
        return value
    }
}
