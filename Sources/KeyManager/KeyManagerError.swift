// SPDX-License-Identifier: Apache-2.0

/// Why a secret could not be sealed or opened.
package struct KeyManagerError: Error, Sendable {
    package struct Code: Sendable, Hashable {
        private enum Value { case unavailable, key }
        private let value: Value
        private init(_ value: Value) { self.value = value }

        /// The keys' files cannot be read or written now.
        package static let unavailable = Code(.unavailable)
        /// The secret was sealed with another key, or its row was changed.
        package static let key = Code(.key)
    }

    package var code: Code
    /// One sentence, for operators, without secrets.
    package var message: String

    package init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    package var isRetryable: Bool { code == .unavailable }
}
