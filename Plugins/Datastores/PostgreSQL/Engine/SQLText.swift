// SPDX-License-Identifier: Apache-2.0

/// Quoting: data definition takes no placeholders.
///
/// Sound for UTF-8 text without NUL and with `standard_conforming_strings` on, which each login sets.
enum SQLText {
    /// A name in double quotes.
    static func identifier(_ name: String) -> String { "\"" + doubled("\"", in: name) + "\"" }

    /// A text in quotes.
    static func literal(_ text: String) -> String { "'" + doubled("'", in: text) + "'" }

    /// A list of literals in parentheses.
    static func list(_ texts: [String]) -> String { "(" + texts.map(literal).joined(separator: ", ") + ")" }

    /// By scalars, so that a mark after the quote does not hide it.
    static func doubled(_ mark: Unicode.Scalar, in text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            if scalar == mark { result.unicodeScalars.append(mark) }
            result.unicodeScalars.append(scalar)
        }
        return result
    }
}
