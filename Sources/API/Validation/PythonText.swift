// SPDX-License-Identifier: Apache-2.0

import Model

extension JSONValue {
    /// The value as validation messages quote it (`repr` of the language that the contract's messages come from);
    /// secrets inside objects are redacted.
    var quoted: String {
        switch self {
        case .null: "None"
        case .bool(let value): value ? "True" : "False"
        case .int(let value): String(value)
        case .double(let value): String(value)
        case .string(let value): Self.quote(value)
        case .array(let items): "[" + items.map(\.quoted).joined(separator: ", ") + "]"
        case .object(let members):
            "{"
                + members.sorted { $0.key < $1.key }.map { name, value in
                    Self.quote(name) + ": "
                        + (Self.secretNames.contains(name) ? "'<redacted>'" : value.quoted)
                }.joined(separator: ", ") + "}"
        }
    }

    /// Single quotes, or double ones around text with single quotes in it.
    static func quote(_ text: String) -> String {
        let mark: Character = text.contains("'") && !text.contains("\"") ? "\"" : "'"
        var quoted = String(mark)
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\n": quoted += "\\n"
            case "\r": quoted += "\\r"
            case "\t": quoted += "\\t"
            case "\\": quoted += "\\\\"
            case "'" where mark == "'": quoted += "\\'"
            default: quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted + String(mark)
    }
}
