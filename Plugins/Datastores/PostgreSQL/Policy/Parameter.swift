// SPDX-License-Identifier: Apache-2.0

import TrovePluginKit

/// One parameter that a configuration group may set.
struct Parameter {
    /// What its values are.
    enum Kind {
        case boolean
        case integer(ClosedRange<Int>)
        case float(ClosedRange<Double>)
        /// One of these words.
        case word([String])
        /// A line of text.
        case text
    }

    let name: String
    let kind: Kind
    /// Whether it takes effect at the next start only.
    var isStatic = false
    let summary: String

    /// The value as a configuration file takes it, before quoting.
    ///
    /// - Throws: `PluginFailure` `.invalidArgument` naming the parameter and what it takes.
    func text(of value: JSON) throws -> String {
        switch (kind, value) {
        case (.boolean, .bool(let value)): return value ? "on" : "off"
        case (.integer(let range), .int(let value)) where range.contains(Int(value)): return String(value)
        case (.float(let range), .int(let value)) where range.contains(Double(value)): return String(value)
        case (.float(let range), .double(let value)) where range.contains(value): return String(value)
        case (.word(let words), .string(let value)) where words.contains(value): return value
        case (.text, .string(let value)) where value.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F }): return value
        default: throw PluginFailure(.invalidArgument, "The parameter '\(name)' needs \(expected).")
        }
    }

    private var expected: String {
        switch kind {
        case .boolean: "true or false"
        case .integer(let range): "an integer from \(range.lowerBound) to \(range.upperBound)"
        case .float(let range): "a number from \(range.lowerBound) to \(range.upperBound)"
        case .word(let words): "one of " + words.joined(separator: ", ")
        case .text: "a line of text"
        }
    }
}
