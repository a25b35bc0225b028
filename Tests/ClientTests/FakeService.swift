// SPDX-License-Identifier: Apache-2.0

import Client
import HTTPClient
import Model

/// Answers a client in memory, and remembers what it was asked.
final class FakeService {
    struct Asked {
        var method: String
        /// Behind the endpoint, with the query.
        var path: String
        var headers: [String: String]
        var body: JSONValue?
    }

    var asked: [Asked] = []
    var logins = 0
    /// The next answers; an error where the connection breaks.
    var answers: [Result<HTTPResponse, HTTPClientError>] = []

    static let endpoint = "http://service.example:8779/v1.0/p1"

    static func answer(
        _ status: Int, _ body: JSONValue? = nil, headers: [String: String] = [:]
    ) -> Result<HTTPResponse, HTTPClientError> {
        .success(HTTPResponse(status: status, headers: headers, body: body?.serialized ?? []))
    }

    static let broken = Result<HTTPResponse, HTTPClientError>.failure(HTTPClientError(.unavailable, "broken"))

    func client(patience: Duration = .seconds(20)) throws -> ServiceClient {
        let variables = [
            "OS_AUTH_URL": "http://identity.example/v3", "OS_USERNAME": "alice", "OS_PASSWORD": "s",
            "OS_PROJECT_NAME": "shop",
        ]
        return try ServiceClient(
            ClientSettings({ variables[$0] }, source: "the test"), interruption: Interruption(), patience: patience,
            exchange: { request, _ throws(HTTPClientError) in try self.perform(request) })
    }

    private func perform(_ request: HTTPRequest) throws(HTTPClientError) -> HTTPResponse {
        guard request.url.text.hasPrefix(Self.endpoint) else {
            logins += 1
            let catalog: JSONValue = [
                [
                    "type": "database",
                    "endpoints": [["interface": "public", "region": "One", "url": .string(Self.endpoint + "/")]],
                ]
            ]
            return HTTPResponse(
                status: 201, headers: ["x-subject-token": "token-\(logins)"],
                body: JSONValue.object(["token": ["project": ["id": "p1"], "catalog": catalog]]).serialized)
        }
        var body: JSONValue?
        if case .bytes(let bytes) = request.body { body = try? JSONValue(parsing: bytes) }
        asked.append(
            Asked(
                method: request.method, path: String(request.url.text.dropFirst(Self.endpoint.count)),
                headers: Dictionary(request.headers.map { ($0.name, $0.value) }) { $1 }, body: body))
        guard !answers.isEmpty else { throw HTTPClientError(.unavailable, "no more answers") }
        return try answers.removeFirst().get()
    }
}
