// SPDX-License-Identifier: Apache-2.0

/// A rule as an operator's file has it.
package struct PolicyOverride: Sendable, Hashable {
    package enum Text: Sendable, Hashable {
        case text(String)
        /// The old form: any of lists, each all of its checks.
        case lists([[String]])
    }

    package var name: String
    package var text: Text
    package var line: Int?

    package init(name: String, text: Text, line: Int? = nil) {
        self.name = name
        self.text = text
        self.line = line
    }
}
