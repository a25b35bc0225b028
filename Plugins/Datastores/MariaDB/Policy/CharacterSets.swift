// SPDX-License-Identifier: Apache-2.0

import TrovePluginKit

/// The character sets that the engine has, so that a create with another one is refused before anything is made.
///
/// Source: `information_schema.CHARACTER_SETS` of MariaDB 10.11.
enum CharacterSets {
    static let names: Set<String> = [
        "armscii8", "ascii", "big5", "binary", "cp1250", "cp1251", "cp1256", "cp1257", "cp850", "cp852", "cp866",
        "cp932", "dec8", "eucjpms", "euckr", "gb2312", "gbk", "geostd8", "greek", "hebrew", "hp8", "keybcs2", "koi8r",
        "koi8u", "latin1", "latin2", "latin5", "latin7", "macce", "macroman", "sjis", "swe7", "tis620", "ucs2", "ujis",
        "utf16", "utf16le", "utf32", "utf8", "utf8mb3", "utf8mb4",
    ]

    /// Refuses a character set that there is not, and a collation of another one.
    static func check(_ database: DatabaseDocument) throws {
        let set = database.characterSet?.lowercased()
        if let set, !names.contains(set) {
            throw refusal("Character set \"\(set)\" is not one that the engine has.")
        }
        guard let collate = database.collate?.lowercased() else { return }
        // Collations named after an algorithm alone fit every Unicode character set.
        if collate.hasPrefix("uca1400_"), collate.utf8.allSatisfy(isWordByte) { return }
        let owner = collate == "binary" ? "binary" : String(collate.prefix { $0 != "_" })
        guard names.contains(owner), collate.utf8.allSatisfy(isWordByte) else {
            throw refusal("Collation \"\(collate)\" is not one that the engine has.")
        }
        guard let set, canonical(set) != canonical(owner) else { return }
        throw refusal("Collation \"\(collate)\" does not fit character set \"\(set)\".")
    }

    private static func canonical(_ set: String) -> String { set == "utf8" ? "utf8mb3" : set }

    private static func isWordByte(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: "_") || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
            || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
    }

    private static func refusal(_ message: String) -> PluginFailure { PluginFailure(.invalidArgument, message) }
}
