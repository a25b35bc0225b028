// SPDX-License-Identifier: Apache-2.0

package import Model

/// Values of parameters as a command line has them.
package enum ParameterText {
    /// An object of `PARAMETER=VALUE` words: a value that is a JSON number, `true` or `false` is one, anything else is text.
    ///
    /// - Throws: `ClientError.usage` naming the word.
    package static func object(_ words: [String]) throws -> JSONValue {
        guard !words.isEmpty else { throw ClientError(.usage, "no values are given; they are PARAMETER=VALUE") }
        var members: [String: JSONValue] = [:]
        for word in words {
            let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            guard parts.count == 2, !parts[0].isEmpty else {
                throw ClientError(.usage, "'\(parts[0])' is not PARAMETER=VALUE")
            }
            guard members.updateValue(value(parts[1]), forKey: parts[0]) == nil else {
                throw ClientError(.usage, "the parameter '\(parts[0])' is there twice")
            }
        }
        return .object(members)
    }

    /// In double quotes a number is text too.
    private static func value(_ text: String) -> JSONValue {
        switch try? JSONValue(parsing: text) {
        case .some(let value) where value.arrayValue == nil && value.objectValue == nil && !value.isNull: value
        default: .string(text)
        }
    }
}
