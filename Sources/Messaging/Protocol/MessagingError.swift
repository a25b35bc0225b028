// SPDX-License-Identifier: Apache-2.0

/// Why a request was not answered, or a message could not be read.
package struct MessagingError: Error, Sendable, CustomStringConvertible {
    package struct Code: Sendable, Hashable, CustomStringConvertible {
        private enum Value: String {
            case timedOut, unavailable, noSuchMethod, unsupportedVersion, remote, badMessage, cancelled
        }
        private let value: Value
        private init(_ value: Value) { self.value = value }
        /// No answer in time; whether the request was performed is unknown.
        package static let timedOut = Code(.timedOut)
        /// The bus did not take the request: no connection, no such queue, or no room.
        package static let unavailable = Code(.unavailable)
        /// The peer has no such method.
        package static let noSuchMethod = Code(.noSuchMethod)
        /// The peer does not implement the version asked for.
        package static let unsupportedVersion = Code(.unsupportedVersion)
        /// The peer failed; `failure` says how.
        package static let remote = Code(.remote)
        /// A message breaks the wire format, or is too large.
        package static let badMessage = Code(.badMessage)
        /// The waiting task was cancelled.
        package static let cancelled = Code(.cancelled)

        package var description: String { value.rawValue }
    }

    package var code: Code
    /// One sentence for operators, without secrets.
    package var message: String
    /// The peer's failure; only with `remote`, `noSuchMethod` and `unsupportedVersion`.
    package var failure: RPCFailure?
    /// Whether it was not the peer that failed but the bus itself was away.
    package var isBusAway = false

    package init(_ code: Code, _ message: String, failure: RPCFailure? = nil) {
        self.code = code
        self.message = message
        self.failure = failure
    }

    package var isRetryable: Bool { code == .timedOut || code == .unavailable }

    package var description: String { "\(code): \(message)" }
}

/// A peer's failure as it came over the bus.
package struct RPCFailure: Sendable, Hashable {
    /// Exception class without module, such as `UserNotFound`.
    package var className: String
    /// Module of the class, such as `trove.common.exception`.
    package var module: String
    package var message: String

    package init(className: String, module: String, message: String) {
        self.className = className
        self.module = module
        self.message = message
    }
}

/// What an endpoint throws to fail a call with a class of its choice.
package struct RPCFault: Error, Sendable, Hashable, CustomStringConvertible {
    package var className: String
    package var module: String
    /// One sentence for the caller, without secrets.
    package var message: String

    package init(className: String, module: String = "trove.common.exception", message: String) {
        self.className = className
        self.module = module
        self.message = message
    }

    package var description: String { "\(className): \(message)" }

    private static let dispatcher = "oslo_messaging.rpc.dispatcher"

    /// Whether no endpoint was reached.
    var isFromDispatcher: Bool { module == Self.dispatcher }

    package static func noSuchMethod(_ method: String) -> RPCFault {
        RPCFault(
            className: "NoSuchMethod", module: dispatcher,
            message: "Endpoint does not support RPC method \(method)"
        )
    }

    package static func unsupportedVersion(_ version: String, method: String) -> RPCFault {
        RPCFault(
            className: "UnsupportedVersion", module: dispatcher,
            message: "Endpoint does not support RPC version \(version). Attempted method: \(method)"
        )
    }

    /// Wrong, missing or unexpected arguments.
    package static func typeError(_ message: String) -> RPCFault {
        RPCFault(className: "TypeError", module: "builtins", message: message)
    }

    /// An argument of the right type that means nothing.
    package static func valueError(_ message: String) -> RPCFault {
        RPCFault(className: "ValueError", module: "builtins", message: message)
    }
}
