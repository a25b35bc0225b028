// SPDX-License-Identifier: Apache-2.0

import Calls
import Identity
import Messaging
package import Model
import PluginHost
import StateStore

/// An error as the client sees it: `{"<key>": {"code": Int, "message": String}}`.
///
/// Source: REST contract §1.4, shape (a), for every error of the API.
package struct APIFault: Error, Sendable, Hashable {
    package var status: Int
    package var key: String
    /// One sentence for the client, without secrets.
    package var message: String
    /// Members beside `code` and `message`.
    package var details: [String: JSONValue] = [:]
    /// Seconds, sent as `Retry-After`.
    package var retryAfter: Int?

    /// - Parameter key: nil for the status' own key.
    package init(_ status: Int, key: String? = nil, _ message: String) {
        self.status = status
        self.key = key ?? Self.keys[status] ?? "instanceFault"
        self.message = message
    }

    package init(_ exception: ServiceException, _ message: String) {
        self.init(exception.status, message)
    }

    /// Keys by status. Source: §1.4.
    package static let keys: [Int: String] = [
        400: "badRequest", 401: "unauthorized", 403: "forbidden", 404: "itemNotFound", 405: "badMethod",
        406: "notAcceptable", 409: "conflict", 413: "overLimit", 415: "badMediaType", 422: "unprocessableEntity",
        431: "badRequest",
        500: "serverError", 501: "notImplemented", 503: "serviceUnavailable",
    ]

    /// Unknown path, or a known path with another verb.
    static let unknownRoute = APIFault(404, "The resource could not be found.")

    static func bodyTooLarge(limit: Int) -> APIFault {
        APIFault(413, "The request body is larger than \(limit) bytes.")
    }

    static func missing(_ id: String) -> APIFault {
        APIFault(.notFound, "Resource \(id) cannot be found.")
    }

    /// Something that the contract has and this service does not.
    static func unsupported(_ sentence: String) -> APIFault { APIFault(501, sentence) }

    /// An exception nobody expected; `id` finds it in the log.
    static func uncaught(id: String) -> APIFault {
        APIFault(
            500, key: "instanceFault",
            "Internal Server Error. Please keep this ID to help us figure out what went wrong: (\(id))."
        )
    }

    package var response: APIResponse {
        var response = APIResponse.json(status) { writer in
            writer.object { writer in
                writer.key(key)
                writer.object { writer in
                    writer.member("code", status)
                    writer.member("message", message)
                    for (name, value) in details.sorted(by: { $0.key < $1.key }) {
                        writer.key(name)
                        writer.value(value)
                    }
                }
            }
        }
        if let retryAfter { response.headers.append(("retry-after", String(retryAfter))) }
        return response
    }
}

// MARK: - Errors of other rooms

extension APIFault {
    /// The fault of an error that any room below threw; nil for one that nobody expects.
    package init?(_ error: any Error) {
        switch error {
        case let fault as APIFault: self = fault
        case let error as JSONError: self.init(400, "Malformed request body: \(error.message).")
        case let error as StateStoreError: self.init(store: error)
        case let error as IdentityError:
            // Whoever knows the tokens does not answer: the token may well be good.
            guard error.isRetryable else { return nil }
            self.init(dependency: "Tokens cannot be checked now; please try again.")
            retryAfter = error.retryAfter ?? retryAfter
        case let error as PluginError: self.init(plugin: error)
        case let error as MessagingError: self.init(guest: error)
        default: return nil
        }
    }

    private init?(store error: StateStoreError) {
        switch error.code {
        case .notFound: self = .unknownRoute
        case .conflict: self.init(409, "The resource was changed by another request meanwhile; please try again.")
        case .quotaExceeded: self.init(.quotaExceeded, error.message)
        case .busy, .unavailable:
            self.init(503, "The state store cannot answer now; please try again.")
            retryAfter = 1
        case .full:
            self.init(503, "The state store has no room left; an operator must free some.")
            retryAfter = 30
        case .schema:
            self.init(503, "The state store has another schema than this service; an operator must upgrade one.")
            retryAfter = 30
        default: return nil
        }
    }

    /// Source: plugin boundary, statuses; guest failures keep the contract's 400.
    private init(plugin error: PluginError) {
        switch error.code {
        case .invalidArgument: self.init(400, error.message)
        case .notFound: self.init(404, error.message)
        case .alreadyExists: self.init(400, error.message)
        case .unsupported: self.init(501, error.message)
        case .preconditionFailed: self.init(422, error.message)
        case .timedOut: self.init(.guestTimeout, error.message)
        case .permissionDenied: self.init(403, error.message)
        case .exhausted: self.init(413, error.message)
        case .busy: self.init(409, error.message)
        case .unavailable where error.message == Self.busAway: self.init(dependency: error.message)
        case .unavailable where error.message.hasPrefix(Self.guestPrefix): self.init(.guest, error.message)
        case .unavailable:
            self.init(503, "Plugin '\(error.pluginID)' cannot answer now: \(error.message)")
            retryAfter = 1
        case .crashed:
            self.init(500, "Plugin '\(error.pluginID)' crashed while it served this request; please try again.")
        default: self.init(500, "Plugin '\(error.pluginID)' failed: \(error.message)")
        }
    }

    /// Of an operation whose guest failed, from the sentence that the operation kept.
    init(guestSentence text: String) {
        guard text != Self.guestTimeout else {
            self.init(.guestTimeout, text)
            return
        }
        var text = text
        while text.hasSuffix(".") { text.removeLast() }
        self.init(.guest, Self.guestPrefix + text + ".")
    }

    private init(guest error: MessagingError) {
        guard !error.isBusAway else {
            self.init(dependency: Self.busAway)
            return
        }
        self.init(error.code == .timedOut ? .guestTimeout : .guest, Self.guestMessage(error))
    }

    /// Something that this service needs is away, and is expected back.
    private init(dependency message: String) {
        self.init(503, message)
        retryAfter = 1
    }

    /// Not the guest but the way to it is away.
    static let busAway = "The message bus cannot be reached now; please try again."

    private static let guestTimeout = "Timeout trying to connect to the Guest Agent."
    private static let guestPrefix = "An error occurred communicating with the guest: "

    /// The contract's sentence about a guest that failed or did not answer (§1.5).
    static func guestMessage(_ error: MessagingError) -> String {
        guard !error.isBusAway else { return busAway }
        guard error.code != .timedOut else { return guestTimeout }
        var text = error.failure?.message ?? error.message
        while text.hasSuffix(".") { text.removeLast() }
        return guestPrefix + text + "."
    }
}
