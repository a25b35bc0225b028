// SPDX-License-Identifier: Apache-2.0

/// Why a client command failed.
package struct ClientError: Error, Sendable, CustomStringConvertible {
    /// The raw value is the exit code. Source: sysexits.h for those from 64 on.
    package enum Code: Int32, Sendable {
        /// The service refused, or the operation failed.
        case refused = 1
        case usage = 64
        /// Nobody answers.
        case unavailable = 69
        /// The operation still runs when the time to wait for it is over.
        case timedOut = 75
        /// The answer cannot be understood.
        case protocolError = 76
        /// Wrong name or password.
        case notAuthenticated = 77
        case configuration = 78
        /// Ctrl-C while it waited. Source: POSIX shells, 128 and the signal.
        case interrupted = 130
    }

    package var code: Code
    /// One sentence without secrets.
    package var message: String
    /// The HTTP status of a refusal.
    package var status: Int?

    package init(_ code: Code, _ message: String, status: Int? = nil) {
        self.code = code
        self.message = message
        self.status = status
    }

    package var description: String { message }
}
