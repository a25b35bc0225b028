// SPDX-License-Identifier: Apache-2.0

import Dispatch
import HTTPClient
import Model

/// JSON requests to a broker's management API, each on a thread that may block.
struct ManagementClient: Sendable {
    private let base: String
    private let place: String
    private let headers: [(name: String, value: String)]
    private let exchanger: HTTPExchanger
    private let timeout: Duration
    /// As many at once as flows run.
    private let queue = DispatchQueue(label: "trove.broker-accounts", attributes: .concurrent)

    /// - Throws: `unusable`.
    init(_ configuration: RabbitAdministrationConfiguration) throws(BrokerAccountError) {
        do throws(HTTPClientError) {
            let address = try HTTPAddress(configuration.url)
            guard address.isOrigin else {
                throw HTTPClientError(.invalidRequest, "it must be http(s)://host:port and nothing behind")
            }
            place = "\(address.origin)"
        } catch {
            throw BrokerAccountError(.unusable, "the broker's management address cannot be used: \(error.message)")
        }
        base = place + "/api/"
        let credentials = Base64.encode(Array("\(configuration.user):\(configuration.password.revealed)".utf8))
        headers = [("Authorization", "Basic \(credentials)"), ("Accept", "application/json")]
        exchanger = HTTPExchanger(HTTPClientConfiguration(caFile: configuration.caFile))
        timeout = configuration.timeout
    }

    func put(_ path: String, _ document: JSONValue) async throws(BrokerAccountError) {
        let response = try await send("PUT", path, document)
        guard [201, 204].contains(response.status) else { throw failure(response.status) }
    }

    /// Also succeeds when there is nothing there.
    func delete(_ path: String) async throws(BrokerAccountError) {
        let response = try await send("DELETE", path, nil)
        guard [204, 404].contains(response.status) else { throw failure(response.status) }
    }

    func get(_ path: String) async throws(BrokerAccountError) -> JSONValue {
        let response = try await send("GET", path, nil)
        guard response.status == 200 else { throw failure(response.status) }
        guard let document = try? JSONValue(parsing: response.body) else {
            throw BrokerAccountError(.refused, "\(place) did not answer as a broker's management API")
        }
        return document
    }

    private func failure(_ status: Int) -> BrokerAccountError {
        switch status {
        case 404: BrokerAccountError(.missing, "\(place) answered 404; does the virtual host exist?")
        case 401: BrokerAccountError(.refused, "\(place) does not accept the broker's administrator or its password")
        case 429, 500...: BrokerAccountError(.unavailable, "\(place) answered \(status)")
        default:
            BrokerAccountError(
                .refused, "\(place) answered \(status); does the virtual host exist, and is the user an administrator?")
        }
    }

    private func send(
        _ method: String, _ path: String, _ document: JSONValue?
    ) async throws(BrokerAccountError) -> HTTPResponse {
        let (exchanger, place) = (exchanger, place)
        let limits = HTTPLimits(deadline: .now + timeout, bodyBytes: 64 << 20)
        var headers = headers
        var body = HTTPRequest.Body.none
        if let document {
            headers.append(("Content-Type", "application/json"))
            body = .bytes(document.serialized)
        }
        let request: HTTPRequest
        do {
            request = HTTPRequest(method, try HTTPAddress(base + path), headers: headers, body: body)
        } catch {
            throw BrokerAccountError(.unusable, "\(place) cannot be asked: \(error.message)")
        }
        let result = await withCheckedContinuation { continuation in
            queue.async {
                continuation.resume(
                    returning: Result { () throws(HTTPClientError) in try exchanger.perform(request, limits: limits) })
            }
        }
        do {
            return try result.get()
        } catch {
            let code: BrokerAccountError.Code = error.isRetryable ? .unavailable : .unusable
            throw BrokerAccountError(code, "the broker's management API cannot be reached: \(error.message)")
        }
    }
}
