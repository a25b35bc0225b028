// SPDX-License-Identifier: Apache-2.0

package import Model

/// A JSON document as its row holds it, read when somebody asks for it: most pages never do.
package struct StoredJSON: Sendable, Hashable {
    package let text: String

    package init(_ value: JSONValue) { text = value.text }

    init(text: String) { self.text = text }

    /// The document; `null` when the row holds something else than JSON.
    package var value: JSONValue { (try? JSONValue(parsing: text)) ?? .null }
}
