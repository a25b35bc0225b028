// SPDX-License-Identifier: Apache-2.0

/// Why a caller is not let in, or an identity file cannot be used.
package struct IdentityError: Error, Sendable {
    package struct Code: Sendable, Hashable {
        private enum Value {
            case unauthorized, forbidden, notFound, badRequest, conflict, tooManyAttempts, overloaded, unavailable,
                files
        }
        private let value: Value
        private init(_ value: Value) { self.value = value }
        /// No valid token or password.
        package static let unauthorized = Code(.unauthorized)
        /// A valid token without the right.
        package static let forbidden = Code(.forbidden)
        /// No such user, project, domain, token or page.
        package static let notFound = Code(.notFound)
        /// The request is not what the operation takes.
        package static let badRequest = Code(.badRequest)
        /// The name is taken.
        package static let conflict = Code(.conflict)
        /// Wrong passwords came too fast; the same request may succeed in a few seconds.
        package static let tooManyAttempts = Code(.tooManyAttempts)
        /// Too much is waiting; nothing was asked of anybody.
        package static let overloaded = Code(.overloaded)
        /// What is asked (the state store, Keystone) does not answer.
        package static let unavailable = Code(.unavailable)
        /// A file in the secrets directory is missing, malformed, readable by others or cannot be written.
        package static let files = Code(.files)
    }

    package var code: Code
    /// One sentence, without passwords or tokens.
    package var message: String
    /// Seconds after which trying again may help, where somebody said so.
    package var retryAfter: Int?

    package init(_ code: Code, _ message: String, retryAfter: Int? = nil) {
        self.code = code
        self.message = message
        self.retryAfter = retryAfter
    }

    package var isRetryable: Bool { code == .unavailable || code == .overloaded || code == .tooManyAttempts }
}

extension IdentityError: CustomStringConvertible {
    package var description: String { message }
}

extension IdentityError {
    static let unauthorized = IdentityError(.unauthorized, "The request you have made requires authentication.")
}
