// SPDX-License-Identifier: Apache-2.0

/// A regular expression of the contract, as text for messages and as a hand-written test.
///
/// Source: REST contract §1.6.
struct TextPattern: Sendable {
    let source: String
    let matches: @Sendable (String) -> Bool

    /// One line with at least one ASCII letter or digit.
    static let alphanumeric = TextPattern(source: "^.*[0-9a-zA-Z]+.*$") { text in
        let bytes = text.utf8
        return bytes.contains(where: isAlphanumeric) && !bytes.dropLast().contains(0x0A)
    }

    static let uuid = TextPattern(
        source: "^([0-9a-fA-F]){8}-([0-9a-fA-F]){4}-([0-9a-fA-F]){4}-([0-9a-fA-F]){4}-([0-9a-fA-F]){12}$",
        matches: isUUID
    )

    static let positiveInteger = TextPattern(source: "^0*[1-9]+[0-9]*$") { text in
        !text.isEmpty && text.utf8.allSatisfy(isDigit) && text.utf8.contains { $0 != UInt8(ascii: "0") }
    }

    static let host = TextPattern(source: "^[%]?[\\w(-).]*[%]?$") { text in
        var middle = text[...]
        if middle.hasPrefix("%") { middle.removeFirst() }
        if middle.hasSuffix("%") { middle.removeLast() }
        return middle.allSatisfy { $0.isLetter || $0.isNumber || "_().".contains($0) }
    }

    static let ipv4 = TextPattern(source: "^(?:[0-9]{1,3}\\.){3}[0-9]{1,3}$", matches: isIPv4)

    static let cidr = TextPattern(source: "^([0-9]{1,3}\\.){3}[0-9]{1,3}(\\/([0-9]|[1-2][0-9]|3[0-2]))?$") { text in
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard isIPv4(String(parts[0])) else { return false }
        guard parts.count == 2 else { return true }
        return parts[1].utf8.allSatisfy(isDigit) && parts[1].utf8.count <= 2 && (Int(parts[1]) ?? 33) <= 32
    }

    @Sendable static func isUUID(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        guard bytes.count == 36 else { return false }
        return bytes.indices.allSatisfy { index in
            switch index {
            case 8, 13, 18, 23: bytes[index] == UInt8(ascii: "-")
            default: isDigit(bytes[index]) || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(bytes[index] | 0x20)
            }
        }
    }

    @Sendable private static func isIPv4(_ text: String) -> Bool {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4
            && parts.allSatisfy { (1...3).contains($0.utf8.count) && $0.utf8.allSatisfy(isDigit) }
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }

    private static func isAlphanumeric(_ byte: UInt8) -> Bool {
        isDigit(byte) || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
    }
}
