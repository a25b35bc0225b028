// SPDX-License-Identifier: Apache-2.0

import TrovePluginKit

/// One server variable that tenants may set.
struct ServerVariable {
    /// What its values are.
    enum Kind {
        /// A whole number of a range; sizes are bytes.
        case integer(ClosedRange<Int64>)
        /// A number of a range.
        case float(ClosedRange<Double>)
        /// `ON` or `OFF` in the engine's spelling.
        case boolean
        /// One of these words.
        case choice([String])
        /// A line of text.
        case text
    }

    let name: String
    let kind: Kind
    /// Whether it cannot be set while the server runs.
    let isStatic: Bool
    let summary: String

    init(_ name: String, _ kind: Kind, isStatic: Bool = false, _ summary: String) {
        self.name = name
        self.kind = kind
        self.isStatic = isStatic
        self.summary = summary
    }

    /// As the catalogue shows it.
    var parameter: Parameter {
        func make(
            _ kind: Parameter.Kind, _ low: Double? = nil, _ high: Double? = nil, choices: [JSON]? = nil
        ) -> Parameter {
            Parameter(
                name: name, kind: kind, minimum: low, maximum: high, choices: choices, isRestartRequired: isStatic,
                summary: summary)
        }
        switch kind {
        case .integer(let range): return make(.integer, Double(range.lowerBound), Double(range.upperBound))
        case .float(let range): return make(.float, range.lowerBound, range.upperBound)
        case .boolean: return make(.boolean)
        case .choice(let choices): return make(.string, choices: choices.map(JSON.string))
        case .text: return make(.string)
        }
    }
}
