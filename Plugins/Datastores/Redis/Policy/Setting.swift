// SPDX-License-Identifier: Apache-2.0

import TrovePluginKit

/// One setting that tenants may change.
struct Setting {
    /// What its values are.
    enum Kind {
        /// A whole number of a range; sizes are bytes.
        case integer(ClosedRange<Int64>)
        /// `yes` or `no` in the engine's spelling.
        case boolean
        /// One of these words.
        case choice([String])
        /// Pairs of seconds and changes, or nothing.
        case savePoints
        /// Letters that choose events.
        case letters(String)
    }

    let name: String
    let kind: Kind
    /// The engine's own default.
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

    /// The words of a value in a configuration file.
    ///
    /// - Throws: `PluginFailure` `.invalidArgument` for a value that the setting does not take.
    func words(_ value: JSON) throws -> [String] {
        switch kind {
        case .integer(let range):
            guard let number = value.intValue.map(Int64.init), range.contains(number) else {
                throw refusal("a whole number from \(range.lowerBound) to \(range.upperBound)")
            }
            return [String(number)]
        case .boolean:
            if let value = value.boolValue { return [value ? "yes" : "no"] }
            guard let text = value.stringValue, ["yes", "no"].contains(text) else { throw refusal("a boolean") }
            return [text]
        case .choice(let choices):
            guard let text = value.stringValue, choices.contains(text) else {
                throw refusal("one of \(choices.joined(separator: ", "))")
            }
            return [text]
        case .savePoints:
            let words = value.stringValue?.split(separator: " ").map(String.init)
            guard let words, words.count % 2 == 0, words.count <= 20,
                words.allSatisfy({ (1...10).contains($0.utf8.count) && (Int($0) ?? 0) > 0 })
            else { throw refusal("pairs of seconds and changes, e.g. \"900 1 300 10\", or an empty text") }
            return words.isEmpty ? [""] : words
        case .letters(let letters):
            guard let text = value.stringValue, text.utf8.count <= 32, text.allSatisfy({ letters.contains($0) }) else {
                throw refusal("letters of \(letters)")
            }
            return [text]
        }
    }

    private func refusal(_ wanted: String) -> PluginFailure {
        PluginFailure(.invalidArgument, "The setting '\(name)' needs \(wanted).")
    }
}
