// SPDX-License-Identifier: Apache-2.0

/// Why an exchange has no answer.
package struct HTTPClientError: Error, Sendable, CustomStringConvertible {
    package struct Code: Sendable, Hashable {
        private enum Value {
            case invalidRequest, refused, unavailable, timedOut, cancelled, tooLarge, streamFailed, library
        }
        private let value: Value
        private init(_ value: Value) { self.value = value }
        /// The URL, method or a header is wrong by itself; nothing was sent.
        package static let invalidRequest = Code(.invalidRequest)
        /// The caller may not ask this server; nothing was sent.
        package static let refused = Code(.refused)
        /// No connection, no trust, or an answer that breaks off.
        package static let unavailable = Code(.unavailable)
        /// The deadline passed.
        package static let timedOut = Code(.timedOut)
        /// The caller asked to stop.
        package static let cancelled = Code(.cancelled)
        /// The answer's body is larger than the caller collects.
        package static let tooLarge = Code(.tooLarge)
        /// The caller's own body or sink failed.
        package static let streamFailed = Code(.streamFailed)
        /// libcurl is not installed, or too old.
        package static let library = Code(.library)
    }

    package var code: Code
    /// One sentence for operators; never a URL's query, a header or a body.
    package var message: String

    package init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    package var isRetryable: Bool { code == .unavailable || code == .timedOut }

    package var description: String { message }
}
