// SPDX-License-Identifier: Apache-2.0

/// Why the state store could not do what was asked.
package struct StateStoreError: Error, Sendable {
    package struct Code: Sendable, Hashable, CustomStringConvertible {
        private enum Value { case notFound, conflict, quotaExceeded, unavailable, corrupt, full, busy, schema }
        private let value: Value
        private init(_ value: Value) { self.value = value }
        /// The code's name, for logs.
        package var description: String { "\(value)" }
        /// The row does not exist.
        package static let notFound = Code(.notFound)
        /// The row changed since it was read, or a unique name is taken.
        package static let conflict = Code(.conflict)
        /// Live rows and the request together pass a limit.
        package static let quotaExceeded = Code(.quotaExceeded)
        /// No connection.
        package static let unavailable = Code(.unavailable)
        /// The database says that its file is damaged.
        package static let corrupt = Code(.corrupt)
        /// No room left.
        package static let full = Code(.full)
        /// Locked for longer than the time limit.
        package static let busy = Code(.busy)
        /// The schema is newer than this program, or a migration failed.
        package static let schema = Code(.schema)
    }

    package var code: Code
    /// One sentence for operators, without secrets.
    package var message: String
    package var cause: (any Error)?

    package init(_ code: Code, _ message: String, cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.cause = cause
    }

    package var isRetryable: Bool { code == .busy || code == .unavailable }
}
