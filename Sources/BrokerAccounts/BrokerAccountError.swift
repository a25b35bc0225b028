// SPDX-License-Identifier: Apache-2.0

/// Why a broker account could not be made, removed or looked for.
package struct BrokerAccountError: Error, Sendable, CustomStringConvertible {
    package struct Code: Sendable, Hashable {
        private enum Value { case unavailable, missing, refused, unusable }
        private let value: Value
        private init(_ value: Value) { self.value = value }
        /// The broker's management API is away, or just starting.
        package static let unavailable = Code(.unavailable)
        /// It does not know the virtual host: there is none, or the broker is just starting.
        package static let missing = Code(.missing)
        /// It does not accept the administrator, or what was asked.
        package static let refused = Code(.refused)
        /// The settings, or this host's libraries, cannot do it.
        package static let unusable = Code(.unusable)
    }

    package var code: Code
    /// One sentence for operators, without secrets.
    package var message: String

    package init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    package var isRetryable: Bool { code == .unavailable }

    package var description: String { message }
}
