// SPDX-License-Identifier: Apache-2.0

/// Why rules cannot be used.
package struct PolicyError: Error, Sendable, Hashable, CustomStringConvertible {
    package struct Code: Sendable, Hashable {
        private enum Value { case syntax, unsupported, unknownRule, cycle }
        private let value: Value
        private init(_ value: Value) { self.value = value }
        /// The text is not of the rule language.
        package static let syntax = Code(.syntax)
        /// A check that this service does not make, such as a question to another server.
        package static let unsupported = Code(.unsupported)
        /// A rule is set, or asked for with `rule:`, that nobody has.
        package static let unknownRule = Code(.unknownRule)
        /// Rules that ask for each other without end.
        package static let cycle = Code(.cycle)
    }

    package var code: Code
    /// The rule whose text is wrong; empty while a single text is read.
    package var rule: String
    /// Its line in the operator's file.
    package var line: Int?
    /// One sentence without its full stop.
    package var message: String

    init(_ code: Code, rule: String = "", line: Int? = nil, _ message: String) {
        self.code = code
        self.rule = rule
        self.line = line
        self.message = message
    }

    package var description: String { rule.isEmpty ? message : "rule '\(rule)': \(message)" }
}
