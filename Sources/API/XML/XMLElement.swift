// SPDX-License-Identifier: Apache-2.0

/// An element of a request, as `XMLReader` finds it.
struct XMLElement: Sendable, Hashable {
    struct Attribute: Sendable, Hashable {
        var name: String
        var value: String
    }

    /// Without a prefix.
    var name: String
    /// In the order they stand, without those of namespaces: `xmlns`, `xmlns:p`, `p:name`.
    var attributes: [Attribute] = []
    var children: [XMLElement] = []
    /// All its text; nil without any. Blanks between tags are none. An element with children has no text.
    var text: String?
}

/// Characters of names and texts. Source: Extensible Markup Language 1.0, fifth edition, §2.2 and §2.3.
enum XMLCharacters {
    static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D }

    static func isCharacter(_ value: UInt32) -> Bool {
        switch value {
        case 0x09, 0x0A, 0x0D, 0x20...0xD7FF, 0xE000...0xFFFD, 0x10000...0x10FFFF: true
        default: false
        }
    }

    static func mayStartName(_ value: UInt32) -> Bool {
        switch value {
        case 0x3A, 0x41...0x5A, 0x5F, 0x61...0x7A, 0xC0...0xD6, 0xD8...0xF6, 0xF8...0x2FF, 0x370...0x37D,
            0x37F...0x1FFF, 0x200C...0x200D, 0x2070...0x218F, 0x2C00...0x2FEF, 0x3001...0xD7FF, 0xF900...0xFDCF,
            0xFDF0...0xFFFD, 0x10000...0xEFFFF:
            true
        default: false
        }
    }

    static func mayBeInName(_ value: UInt32) -> Bool {
        switch value {
        case 0x2D, 0x2E, 0x30...0x39, 0xB7, 0x300...0x36F, 0x203F...0x2040: true
        default: mayStartName(value)
        }
    }
}
