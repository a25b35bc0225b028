// SPDX-License-Identifier: Apache-2.0

package import HTTPClient
package import Model

/// Asks the database service over its REST API, as its tenants do. Blocks: for commands, on one thread.
package final class ServiceClient {
    package struct Answer {
        package var status: Int
        /// nil for an empty body.
        package var body: JSONValue?
    }

    /// One HTTP exchange.
    package typealias Exchange = (HTTPRequest, HTTPLimits) throws(HTTPClientError) -> HTTPResponse

    /// What ends a pause early, and an exchange too.
    package let interruption: Interruption
    /// The id of the project that the token is for.
    package private(set) var projectID = ""

    private let settings: ClientSettings
    private let exchange: Exchange
    /// For how long a request is repeated that nobody answers.
    private let patience: Duration
    private var endpoint = ""
    /// What the identity service said last: the catalogue of everything else.
    private var identity: JSONValue = .null
    /// In memory alone.
    private var token = Secret("")

    /// Authenticates, and finds the database service in the catalogue.
    package convenience init(_ settings: ClientSettings, interruption: Interruption = Interruption()) throws {
        let exchanger = HTTPExchanger(
            HTTPClientConfiguration(
                caFile: settings.caFile, userAgent: "trove-cli", isInsecure: settings.isInsecure),
            connections: HTTPConnections())
        try self.init(
            settings, interruption: interruption,
            exchange: { request, limits throws(HTTPClientError) in try exchanger.perform(request, limits: limits) })
    }

    /// As above over any transport.
    package init(
        _ settings: ClientSettings, interruption: Interruption, patience: Duration = .seconds(20),
        exchange: @escaping Exchange
    ) throws {
        self.settings = settings
        self.exchange = exchange
        self.interruption = interruption
        self.patience = patience
        try authenticate()
    }

    private func authenticate() throws {
        let url = settings.authURL + "/auth/tokens"
        let response: HTTPResponse
        do { response = try perform("POST", url, [], Authentication.request(settings), limit: .seconds(30)) } catch {
            throw error.error
        }
        guard (200...299).contains(response.status), let token = response.headers["x-subject-token"] else {
            let subject = Authentication.subject(settings)
            throw ClientError(
                response.status == 401 ? .notAuthenticated : .refused,
                "\(settings.authURL) refuses \(subject): \(Self.message(response))", status: response.status)
        }
        let document = try Self.document(response, url)
        self.token = Secret(token)
        projectID = document["token"]?["project"]?["id"]?.stringValue ?? ""
        identity = document
        endpoint = try Authentication.endpoint("database", document, settings)
    }

    /// Sends a request below `/v1.0/{project}`.
    ///
    /// A POST has an `Idempotency-Key`; it and a GET are sent again when the connection breaks. What the service puts off
    /// with `Retry-After` is sent again then.
    ///
    /// - Returns: Every answer with a status below 400.
    /// - Throws: `ClientError` with the fault's message.
    package func send(
        _ method: String, _ path: String, _ body: JSONValue? = nil, limit: Duration = .seconds(30)
    ) throws -> Answer {
        let response = try respond(method, { self.endpoint + path }, body, limit)
        guard !response.body.isEmpty else { return Answer(status: response.status, body: nil) }
        return Answer(status: response.status, body: try Self.document(response, path))
    }

    /// Reads from the project's object store, as `send` asks.
    ///
    /// - Parameter path: `/{container}…`, encoded.
    /// - Throws: `ClientError`: `.configuration` where the catalogue has no object store.
    package func stored(_ path: String, limit: Duration = .seconds(120)) throws -> [UInt8] {
        try respond(
            "GET", { try Authentication.endpoint("object-store", self.identity, self.settings) + path }, nil, limit
        ).body
    }

    /// - Parameter url: Asked anew for each try: authenticating again may change it.
    private func respond(
        _ method: String, _ url: () throws -> String, _ body: JSONValue?, _ limit: Duration
    ) throws -> HTTPResponse {
        let key = method == "POST" ? SystemRandomSource().uuid() : nil
        var (backoff, isRenewed) = (Duration.milliseconds(250), false)
        let end = ContinuousClock.now + patience
        while true {
            let response: HTTPResponse
            do {
                var headers = [("X-Auth-Token", token.revealed)]
                if let key { headers.append(("Idempotency-Key", key)) }
                response = try perform(method, try url(), headers, body, limit: limit)
            } catch let error as ExchangeFailure {
                guard error.isLostConnection, ["GET", "POST"].contains(method), ContinuousClock.now + backoff < end
                else { throw error.error }
                try interruption.pause(backoff)
                backoff = min(backoff * 2, .seconds(4))
                continue
            }
            if response.status < 400 { return response }
            if response.status == 401, !isRenewed {
                isRenewed = true
                try authenticate()
            } else if [409, 413, 503].contains(response.status),
                let seconds = response.headers["retry-after"].flatMap({ Int($0) }), seconds >= 0,
                ContinuousClock.now + .seconds(seconds) < end
            {
                try interruption.pause(.seconds(max(1, seconds)))
            } else {
                throw ClientError(
                    response.status == 401 ? .notAuthenticated : .refused, Self.message(response),
                    status: response.status)
            }
        }
    }

    /// Why an exchange has no answer.
    private struct ExchangeFailure: Error {
        var error: ClientError
        var isLostConnection: Bool
    }

    private func perform(
        _ method: String, _ url: String, _ headers: [(String, String)], _ body: JSONValue?, limit: Duration
    ) throws(ExchangeFailure) -> HTTPResponse {
        var headers = headers.map { (name: $0.0, value: $0.1) } + [(name: "Accept", value: "application/json")]
        if body != nil { headers.append((name: "Content-Type", value: "application/json")) }
        do {
            return try exchange(
                HTTPRequest(
                    method, try HTTPAddress(url), headers: headers, body: body.map { .bytes($0.serialized) } ?? .none),
                HTTPLimits(deadline: .now + limit, cancelFD: interruption.descriptor, bodyBytes: 32 << 20))
        } catch {
            let code: ClientError.Code =
                switch error.code {
                case .invalidRequest: .configuration
                case .cancelled: .interrupted
                default: .unavailable
                }
            throw ExchangeFailure(
                error: ClientError(code, error.message), isLostConnection: error.code == .unavailable)
        }
    }

    private static func document(_ response: HTTPResponse, _ what: String) throws -> JSONValue {
        do { return try JSONValue(parsing: response.body) } catch {
            throw ClientError(.protocolError, "the answer of \(what) is not JSON: \(error.message)")
        }
    }

    /// The message of `{"<key>": {"code", "message"}}`, or the status.
    private static func message(_ response: HTTPResponse) -> String {
        let fault = (try? JSONValue(parsing: response.body))?.objectValue?.values.first
        guard let text = fault?["message"]?.stringValue, !text.isEmpty else { return "HTTP status \(response.status)" }
        return "\(text) (HTTP \(response.status))"
    }
}
