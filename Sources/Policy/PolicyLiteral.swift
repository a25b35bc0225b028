// SPDX-License-Identifier: Apache-2.0

/// Literals of Python that stand on the left of a check.
enum PolicyLiteral {
    /// What Python's `str` makes of it; nil for what is no literal: the name of a credential.
    ///
    /// Source: oslo.policy, "Generic checks": strings in quotes, numbers, `True`, `False`, `None`.
    static func text(_ source: String) -> String? {
        switch source {
        case "True", "False", "None": return source
        default: break
        }
        if let quote = source.first, quote == "'" || quote == "\"", source.count >= 2, source.last == quote {
            let inner = source.dropFirst().dropLast()
            return inner.contains(quote) || inner.contains("\\") ? nil : String(inner)
        }
        let digits = source.utf8.first == UInt8(ascii: "-") ? source.utf8.dropFirst() : source.utf8[...]
        guard let first = digits.first, (48...57).contains(first) else { return nil }
        if let number = Int(source) { return String(number) }
        guard digits.allSatisfy({ (48...57).contains($0) || $0 == 46 }), let number = Double(source) else { return nil }
        return "\(number)"
    }
}
