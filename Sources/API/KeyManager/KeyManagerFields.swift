// SPDX-License-Identifier: Apache-2.0

import Model

/// The members of a request's document, with errors that name them.
struct KeyManagerFields: Sendable {
    private let body: JSONValue
    private let schema: String

    init(_ body: JSONValue, of schema: String) {
        self.body = body
        self.schema = schema
    }

    func requireObject() throws(KeyManagerFault) {
        guard body.objectValue != nil else {
            throw KeyManagerFault(400, "Provided object does not match schema '\(schema)': it must be a JSON object.")
        }
    }

    /// A text of at most 255 characters; nil for none and for null.
    func text(_ name: String) throws(KeyManagerFault) -> String? {
        guard let value = body[name], !value.isNull else { return nil }
        guard let text = value.stringValue else { throw fault(name, "must be a string") }
        guard text.unicodeScalars.count <= 255 else { throw fault(name, "may have 255 characters") }
        guard !text.unicodeScalars.contains("\0") else { throw fault(name, "must not have a zero character") }
        return text
    }

    func fault(_ name: String, _ reason: String) -> KeyManagerFault {
        KeyManagerFault(
            400, "Provided object does not match schema '\(schema)': '\(name)' \(reason). Invalid property: '\(name)'")
    }
}

extension String {
    /// Without white space at its ends.
    var trimmingWhitespace: String {
        String(drop(while: \.isWhitespace).reversed().drop(while: \.isWhitespace).reversed())
    }
}
