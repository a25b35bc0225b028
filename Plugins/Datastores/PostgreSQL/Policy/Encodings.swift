// SPDX-License-Identifier: Apache-2.0

import TrovePluginKit

/// Character sets and collations of databases, so that a create with another one is refused before anything is made.
///
/// Source: PostgreSQL manual, "Character Set Support": the encodings that a server can store, and their other names.
enum Encodings {
    private static let names: Set<String> = [
        "EUC_CN", "EUC_JP", "EUC_JIS_2004", "EUC_KR", "EUC_TW", "ISO_8859_5", "ISO_8859_6", "ISO_8859_7", "ISO_8859_8",
        "KOI8R", "KOI8U", "LATIN1", "LATIN2", "LATIN3", "LATIN4", "LATIN5", "LATIN6", "LATIN7", "LATIN8", "LATIN9",
        "LATIN10", "MULE_INTERNAL", "SQL_ASCII", "UTF8", "WIN866", "WIN874", "WIN1250", "WIN1251", "WIN1252",
        "WIN1253", "WIN1254", "WIN1255", "WIN1256", "WIN1257", "WIN1258",
    ]
    private static let others: [String: String] = ["UTF-8": "UTF8", "UNICODE": "UTF8", "KOI8": "KOI8R"]
    /// Locales that fit every encoding.
    private static let plainLocales: Set<String> = ["C", "POSIX"]

    /// Refuses a character set that there is not, and a collation that cannot be one.
    static func check(_ database: DatabaseDocument) throws {
        if let set = database.characterSet, encoding(set) == nil {
            throw refusal("Character set \"\(set)\" is not one that the engine has.")
        }
        guard let collate = database.collate else { return }
        guard !collate.isEmpty, collate.utf8.count <= 63, collate.utf8.allSatisfy(isLocaleByte) else {
            throw refusal("Collation \"\(collate)\" is not the name of a locale; give one such as 'C.UTF-8'.")
        }
        guard let needed = suffix(collate), needed != encoding(database.characterSet ?? "UTF8") else { return }
        throw refusal(
            "Collation \"\(collate)\" does not fit character set \"\(database.characterSet ?? "UTF8")\".")
    }

    /// What of `CREATE DATABASE` follows from them: from `template0`, the only one that another encoding can be copied of.
    static func options(_ database: DatabaseDocument) -> String {
        guard database.characterSet != nil || database.collate != nil else { return "" }
        let encoding = encoding(database.characterSet ?? "UTF8") ?? "UTF8"
        let locale = database.collate ?? (encoding == "UTF8" ? "C.UTF-8" : "C")
        return """
             TEMPLATE template0 ENCODING \(SQLText.literal(encoding)) LC_COLLATE \(SQLText.literal(locale)) \
            LC_CTYPE \(SQLText.literal(locale))
            """
    }

    private static func encoding(_ name: String) -> String? {
        let upper = name.uppercased()
        return names.contains(upper) ? upper : others[upper]
    }

    /// The encoding that a locale names behind its dot, if it names one that is known.
    private static func suffix(_ locale: String) -> String? {
        guard !plainLocales.contains(locale), let dot = locale.firstIndex(of: ".") else { return nil }
        let name = locale[locale.index(after: dot)...].prefix { $0 != "@" }
        return encoding(String(name))
    }

    private static func isLocaleByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "."),
            UInt8(ascii: "@"):
            true
        default: false
        }
    }

    private static func refusal(_ message: String) -> PluginFailure { PluginFailure(.invalidArgument, message) }
}
