// SPDX-License-Identifier: Apache-2.0

import HTTPClient
import Model

/// Asks the database service over its REST API, as its tenants do. Blocks: for commands.
struct ServiceClient {
    struct Answer {
        var status: Int
        /// nil for an empty body.
        var body: JSONValue?
    }

    private let exchanger: HTTPExchanger
    private let endpoint: String
    private let token: Secret

    /// Authenticates with a password and finds the database service in the catalogue.
    ///
    /// Source: Identity API v3, "Password authentication with scoped authorization".
    init(_ settings: ClientSettings) throws {
        exchanger = HTTPExchanger(HTTPClientConfiguration(caFile: settings.caFile, userAgent: "trove-cli"))
        let project: JSONValue =
            settings.projectID.map { ["id": .string($0)] } ?? [
                "name": .optional(settings.projectName), "domain": ["name": .string(settings.projectDomain)],
            ]
        let request: JSONValue = [
            "auth": [
                "identity": [
                    "methods": ["password"],
                    "password": [
                        "user": [
                            "name": .string(settings.userName), "domain": ["name": .string(settings.userDomain)],
                            "password": .string(settings.password.revealed),
                        ]
                    ],
                ],
                "scope": ["project": project],
            ]
        ]
        let url = settings.authURL + "/auth/tokens"
        let response = try Self.exchange(exchanger, "POST", url, [], request, limit: .seconds(30))
        guard (200...299).contains(response.status), let token = response.headers["x-subject-token"] else {
            let message = "\(settings.authURL) refuses user '\(settings.userName)': \(Self.message(response))"
            throw ClientError(response.status == 401 ? .notAuthenticated : .refused, message)
        }
        self.token = Secret(token)
        endpoint = try Self.endpoint(try Self.document(response, url), settings)
    }

    /// Sends a request below `/v1.0/{project}`.
    ///
    /// - Returns: Every answer with a status below 400.
    /// - Throws: `ClientError` with the fault's message.
    func send(
        _ method: String, _ path: String, _ body: JSONValue? = nil, limit: Duration = .seconds(30)
    ) throws -> Answer {
        let headers = [("X-Auth-Token", token.revealed)]
        let response = try Self.exchange(exchanger, method, endpoint + path, headers, body, limit: limit)
        guard response.status < 400 else {
            throw ClientError(response.status == 401 ? .notAuthenticated : .refused, Self.message(response))
        }
        guard !response.body.isEmpty else { return Answer(status: response.status, body: nil) }
        return Answer(status: response.status, body: try Self.document(response, path))
    }

    /// The id of an instance that is named by id or name.
    func instanceID(_ text: String) throws -> String {
        if Self.isUUID(text) { return text }
        var marker: String?
        var found: [String] = []
        repeat {
            let query = marker.map { "?marker=" + Self.escaped($0) } ?? ""
            let page = try send("GET", "/instances" + query).body
            for item in page?["instances"]?.arrayValue ?? [] where item["name"]?.stringValue == text {
                if let id = item["id"]?.stringValue { found.append(id) }
            }
            let hasMore = page?["links"]?.arrayValue?.contains { $0["rel"] == "next" } ?? false
            marker = hasMore ? page?["instances"]?.arrayValue?.last?["id"]?.stringValue : nil
        } while marker != nil
        guard found.count <= 1 else {
            throw ClientError(.usage, "\(found.count) instances are called '\(text)'; give an id")
        }
        guard let id = found.first else { throw ClientError(.refused, "there is no instance '\(text)'") }
        return id
    }

    private static func isUUID(_ text: String) -> Bool {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        return parts.map(\.utf8.count) == [8, 4, 4, 4, 12] && parts.joined().allSatisfy(\.isHexDigit)
    }

    /// Percent-encodes what is not unreserved. Source: RFC 3986 §2.3.
    static func escaped(_ text: String) -> String {
        var escaped = ""
        for byte in text.utf8 {
            let scalar = Unicode.Scalar(byte)
            if scalar.isASCII, scalar.properties.isAlphabetic || (48...57).contains(byte) || "-._~".utf8.contains(byte)
            {
                escaped.unicodeScalars.append(scalar)
            } else {
                escaped += "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
            }
        }
        return escaped
    }

    private static func endpoint(_ answer: JSONValue, _ settings: ClientSettings) throws -> String {
        let services = answer["token"]?["catalog"]?.arrayValue ?? []
        let endpoints = services.filter { $0["type"] == "database" }.flatMap { $0["endpoints"]?.arrayValue ?? [] }
        let chosen = endpoints.first { endpoint in
            endpoint["interface"] == "public"
                && (settings.region == nil || endpoint["region"]?.stringValue == settings.region
                    || endpoint["region_id"]?.stringValue == settings.region)
        }
        guard var url = chosen?["url"]?.stringValue else {
            let place = settings.region.map { " in region '\($0)'" } ?? ""
            throw ClientError(.configuration, "the catalogue has no public endpoint of type 'database'\(place)")
        }
        while url.hasSuffix("/") { url.removeLast() }
        return url
    }

    private static func exchange(
        _ exchanger: HTTPExchanger, _ method: String, _ url: String, _ headers: [(String, String)], _ body: JSONValue?,
        limit: Duration
    ) throws -> HTTPResponse {
        var headers = headers.map { (name: $0.0, value: $0.1) } + [(name: "Accept", value: "application/json")]
        if body != nil { headers.append((name: "Content-Type", value: "application/json")) }
        do {
            return try exchanger.perform(
                HTTPRequest(
                    method, try HTTPAddress(url), headers: headers, body: body.map { .bytes($0.serialized) } ?? .none),
                limits: HTTPLimits(deadline: .now + limit, bodyBytes: 32 << 20))
        } catch {
            throw ClientError(error.code == .invalidRequest ? .configuration : .unavailable, error.message)
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
