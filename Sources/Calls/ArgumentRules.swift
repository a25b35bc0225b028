// SPDX-License-Identifier: Apache-2.0

package import Messaging
package import Model

/// The keyword arguments of one verb.
package struct ArgumentRules: Sendable, Hashable {
    package var required: [String]
    package var optional: [String]

    package init(required: [String] = [], optional: [String] = []) {
        self.required = required
        self.optional = optional
    }

    /// Refuses missing and unexpected arguments.
    ///
    /// - Throws: `builtins.TypeError` naming the verb and the arguments, never their values.
    package func check(_ arguments: [String: JSONValue], method: String) throws(RPCFault) {
        let missing = required.filter { arguments[$0] == nil }
        if !missing.isEmpty {
            let names = missing.map { "'\($0)'" }.joined(separator: ", ")
            let noun = missing.count == 1 ? "argument" : "arguments"
            throw .typeError("\(method)() missing \(missing.count) required keyword-only \(noun): \(names)")
        }
        let unexpected = arguments.keys.filter { !required.contains($0) && !optional.contains($0) }.sorted()
        if let name = unexpected.first {
            throw .typeError("\(method)() got an unexpected keyword argument '\(name)'")
        }
    }
}

extension [String: JSONValue] {
    /// The text argument `name`.
    ///
    /// - Throws: `builtins.TypeError` when it is missing or something else.
    package func text(_ name: String, method: String) throws(RPCFault) -> String {
        guard let text = self[name]?.stringValue else {
            throw .typeError("\(method)() argument '\(name)' must be a string")
        }
        return text
    }
}
