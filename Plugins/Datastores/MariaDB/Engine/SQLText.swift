// SPDX-License-Identifier: Apache-2.0

/// Quoting: data definition takes no placeholders.
///
/// Sound for UTF-8 text and for the SQL mode `sessionMode`, in which a backslash escapes in literals; each connection and
/// the file of the first start set it.
enum SQLText {
    /// The SQL mode that the quoting relies on.
    static let sessionMode = "STRICT_TRANS_TABLES,NO_ENGINE_SUBSTITUTION"

    /// A name in backticks.
    static func identifier(_ name: String) -> String {
        "`" + name.split(separator: "`", omittingEmptySubsequences: false).joined(separator: "``") + "`"
    }

    /// A text in quotes.
    static func literal(_ text: String) -> String {
        var result = "'"
        for scalar in text.unicodeScalars {
            switch scalar {
            case "'": result += "\\'"
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\r": result += "\\r"
            case "\0": result += "\\0"
            case "\u{1A}": result += "\\Z"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "'"
    }

    /// A database in GRANT and REVOKE, where `_` and `%` in a name stand for other characters unless escaped.
    static func grantTarget(_ name: String) -> String { identifier(pattern(name)) + ".*" }

    /// The pattern that matches `name` alone.
    static func pattern(_ name: String) -> String {
        var result = ""
        for scalar in name.unicodeScalars {
            if scalar == "_" || scalar == "%" || scalar == "\\" { result += "\\" }
            result.unicodeScalars.append(scalar)
        }
        return result
    }

    /// The name that a pattern of the grant tables stands for.
    static func name(pattern: String) -> String {
        var result = ""
        var isEscaped = false
        for scalar in pattern.unicodeScalars {
            if scalar == "\\", !isEscaped {
                isEscaped = true
                continue
            }
            isEscaped = false
            result.unicodeScalars.append(scalar)
        }
        return result
    }

    /// A list of literals in parentheses.
    static func list(_ texts: [String]) -> String { "(" + texts.map(literal).joined(separator: ", ") + ")" }
}
