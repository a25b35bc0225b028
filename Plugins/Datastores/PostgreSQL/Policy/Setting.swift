// SPDX-License-Identifier: Apache-2.0

import TrovePluginKit

/// One parameter that a configuration group may set.
struct Setting {
    /// What its values are.
    enum Kind {
        case boolean
        case integer(ClosedRange<Int>)
        case float(ClosedRange<Double>)
        /// One of these words.
        case choice([String])
        /// The name of a time zone.
        case timeZone
    }

    let name: String
    let kind: Kind
    /// The engine's own default; `.null` where the service's depends on the size.
    let initial: JSON
    let isRestartRequired: Bool
    let summary: String

    init(_ name: String, _ kind: Kind, _ initial: JSON, restart: Bool = false, _ summary: String) {
        self.name = name
        self.kind = kind
        self.initial = initial
        isRestartRequired = restart
        self.summary = summary
    }

    /// The value as a configuration file takes it, before quoting.
    ///
    /// - Throws: `PluginFailure` `.invalidArgument` naming the parameter and what it takes.
    func text(of value: JSON) throws -> String {
        switch (kind, value) {
        case (.boolean, .bool(let value)): return value ? "on" : "off"
        case (.integer(let range), .int(let value)) where range.contains(Int(value)): return String(value)
        case (.float(let range), .int(let value)) where range.contains(Double(value)): return String(value)
        case (.float(let range), .double(let value)) where range.contains(value): return String(value)
        case (.choice(let words), .string(let value)) where words.contains(value): return value
        case (.timeZone, .string(let value)) where Self.isTimeZone(value): return value
        default: throw PluginFailure(.invalidArgument, "The parameter '\(name)' needs \(expected).")
        }
    }

    /// As the catalogue shows it.
    var parameter: Parameter {
        func make(_ kind: Parameter.Kind, _ range: ClosedRange<Double>? = nil, choices: [String]? = nil) -> Parameter {
            Parameter(
                name: name, kind: kind, minimum: range?.lowerBound, maximum: range?.upperBound,
                choices: choices?.map(JSON.string), initial: initial.isNull ? nil : initial,
                isRestartRequired: isRestartRequired, summary: summary)
        }
        switch kind {
        case .boolean: return make(.boolean)
        case .integer(let range): return make(.integer, Double(range.lowerBound)...Double(range.upperBound))
        case .float(let range): return make(.float, range)
        case .choice(let words): return make(.string, choices: words)
        case .timeZone: return make(.string)
        }
    }

    private var expected: String {
        switch kind {
        case .boolean: "true or false"
        case .integer(let range): "an integer from \(range.lowerBound) to \(range.upperBound)"
        case .float(let range): "a number from \(range.lowerBound) to \(range.upperBound)"
        case .choice(let words): "one of " + words.joined(separator: ", ")
        case .timeZone: "the name of a time zone, e.g. Europe/Zurich"
        }
    }

    /// Letters, digits, `/`, `_`, `+` and `-`: what names in the time zone database have.
    private static func isTimeZone(_ name: String) -> Bool {
        !name.isEmpty && name.utf8.count <= 64
            && name.unicodeScalars.allSatisfy { scalar in
                scalar.isASCII && (scalar.properties.isAlphabetic || scalar.properties.numericType != nil)
                    || "/_+-".unicodeScalars.contains(scalar)
            }
    }
}
