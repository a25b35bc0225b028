// SPDX-License-Identifier: Apache-2.0

/// Why the guest agent could not do what was asked.
package struct GuestAgentError: Error, Sendable, CustomStringConvertible {
    package struct Code: Sendable, Hashable, CustomStringConvertible {
        private enum Value: String {
            case configuration, busy, notReady, engineFailed, timedOut, storage, restore, invalid
        }
        private let value: Value
        private init(_ value: Value) { self.value = value }
        /// The agent's configuration file is missing or wrong.
        package static let configuration = Code(.configuration)
        /// Another agent of the instance, or another operation, holds it.
        package static let busy = Code(.busy)
        /// The engine is not up, or the instance is not prepared.
        package static let notReady = Code(.notReady)
        /// The engine did not start, or ended.
        package static let engineFailed = Code(.engineFailed)
        /// A deadline passed.
        package static let timedOut = Code(.timedOut)
        /// A file or directory of the agent could not be read or written.
        package static let storage = Code(.storage)
        /// A backup could not be put into the data directory.
        package static let restore = Code(.restore)
        /// Arguments, or a document of a plugin, that cannot be understood.
        package static let invalid = Code(.invalid)

        package var description: String { value.rawValue }
    }

    package var code: Code
    /// One sentence for operators, without secrets.
    package var message: String

    package init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    package var isRetryable: Bool { code == .busy || code == .timedOut }

    package var description: String { message }
}
