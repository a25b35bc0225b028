// SPDX-License-Identifier: Apache-2.0

/// Where the reader is, and how it goes on.
extension XMLReader {
    var current: UInt8? { index < bytes.count ? bytes[index] : nil }

    /// The character here and how many bytes it has. The bytes are known to be UTF-8.
    var scalar: (value: UInt32, length: Int)? {
        guard let lead = current else { return nil }
        let (length, bits): (Int, UInt8) =
            lead < 0x80 ? (1, 0x7F) : lead < 0xE0 ? (2, 0x1F) : lead < 0xF0 ? (3, 0x0F) : (4, 0x07)
        var value = UInt32(lead & bits)
        for byte in bytes[index..<min(index + length, bytes.count)].dropFirst() {
            value = value << 6 | UInt32(byte & 0x3F)
        }
        return (value, length)
    }

    func fault(_ what: String) -> APIFault {
        APIFault(400, "Malformed request body: \(what) at byte \(index).")
    }

    func isNext(_ text: StaticString) -> Bool {
        let count = text.utf8CodeUnitCount
        guard index + count <= bytes.count else { return false }
        return (0..<count).allSatisfy { bytes[index + $0] == text.utf8Start[$0] }
    }

    /// Goes behind `text` if it is next.
    mutating func skip(_ text: StaticString) -> Bool {
        guard isNext(text) else { return false }
        index += text.utf8CodeUnitCount
        return true
    }

    @discardableResult
    mutating func skipSpace() -> Bool {
        let start = index
        while let byte = current, XMLCharacters.isSpace(byte) { index += 1 }
        return index > start
    }

    mutating func skipCharacter() throws(APIFault) {
        guard let scalar, XMLCharacters.isCharacter(scalar.value) else { throw fault("a character is not allowed") }
        index += scalar.length
    }

    /// Copies the character here; every end of a line becomes a line feed.
    mutating func copyCharacter(into text: inout [UInt8]) throws(APIFault) {
        let start = index
        try skipCharacter()
        if bytes[start] == 0x0D {
            if current != 0x0A { text.append(0x0A) }
        } else {
            text.append(contentsOf: bytes[start..<index])
        }
    }

    /// `&name;`, `&#10;` or `&#xA;`, as UTF-8.
    mutating func readReference() throws(APIFault) -> [UInt8] {
        for (text, byte) in Self.entities where skip(text) { return [byte] }
        guard skip("&#") else { throw fault("an entity is not known") }
        let radix: UInt32 = skip("x") ? 16 : 10
        var value: UInt32 = 0
        var count = 0
        while let byte = current, let digit = Self.digit(byte), digit < radix {
            value = min(value * radix + digit, 0x110000)
            count += 1
            index += 1
        }
        guard count > 0, skip(";"), XMLCharacters.isCharacter(value), let scalar = Unicode.Scalar(value) else {
            throw fault("a character is not allowed")
        }
        return Array(Character(scalar).utf8)
    }

    private static let entities: [(StaticString, UInt8)] = [
        ("&amp;", UInt8(ascii: "&")), ("&lt;", UInt8(ascii: "<")), ("&gt;", UInt8(ascii: ">")),
        ("&quot;", UInt8(ascii: "\"")), ("&apos;", UInt8(ascii: "'")),
    ]

    private static func digit(_ byte: UInt8) -> UInt32? {
        Character(Unicode.Scalar(byte)).hexDigitValue.map(UInt32.init)
    }
}
