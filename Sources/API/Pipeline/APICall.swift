// SPDX-License-Identifier: Apache-2.0

import Model

/// One authenticated request on its way through a route.
struct APICall: Sendable {
    let request: APIRequest
    let services: APIServices
    let context: RequestContext
    /// The decoded `{parameter}` segments, in the order of the route's pattern.
    var parameters: [String] = []
    /// What the route says of its body.
    var declaredBody: Schema?
    let now: Timestamp

    var configuration: APIConfiguration { services.configuration }

    /// Scheme, host and port for links that clients follow.
    var baseURL: String { Self.baseURL(request, configuration) }

    var links: LinkWriter { LinkWriter(call: self) }

    static func baseURL(_ request: APIRequest, _ configuration: APIConfiguration) -> String {
        configuration.baseURL(host: request.host)
    }

    /// The parameter at `index`; routes have as many as their pattern says.
    func parameter(_ index: Int) -> String { parameters.indices.contains(index) ? parameters[index] : "" }

    /// What the body is said to be in; nil for another type or without one.
    var bodyType: MediaType? { request.header("content-type").flatMap(MediaType.init(contentType:)) }

    /// The body as JSON; nil when there is none, or no `Content-Type` says what it is.
    ///
    /// - Parameter shape: What the texts of an XML body mean; without it what the route declares.
    /// - Throws: 415 for another type, 413 for a body past the limit, 400 for what is not strict JSON, or XML.
    func optionalBody(shape: @autoclosure () -> BodyShape? = nil) async throws -> JSONValue? {
        if case .none = request.body { return nil }
        let bytes = try await request.bytes(limit: configuration.maximumBodyBytes)
        guard !bytes.isEmpty, request.header("content-type") != nil else { return nil }
        guard let bodyType else {
            throw APIFault(
                415,
                "Request bodies must be application/json or application/xml, not the Content-Type that was sent.")
        }
        guard bodyType == .json else {
            return try XMLReader.read(bytes).document(shape() ?? declaredBody.map { BodyShape($0) } ?? .any)
        }
        let body: JSONValue
        do {
            body = try JSONValue(parsing: bytes)
        } catch {
            throw APIFault(400, "Malformed request body: \(error.message).")
        }
        // Nothing that a request names can have it: neither the state store's texts nor an engine's names.
        guard !Self.containsNUL(body) else {
            throw APIFault(400, "Validation error: a text of the request body has the character U+0000.")
        }
        return body
    }

    private static func containsNUL(_ value: JSONValue) -> Bool {
        switch value {
        case .string(let text): text.utf8.contains(0)
        case .array(let items): items.contains(where: containsNUL)
        case .object(let members): members.contains { $0.key.utf8.contains(0) || containsNUL($0.value) }
        default: false
        }
    }

    /// The body as JSON. Throws what `optionalBody` throws, and 400 without a body.
    func body() async throws -> JSONValue {
        guard let body = try await optionalBody() else {
            throw APIFault(
                400,
                "This request needs a JSON body and the header 'Content-Type: application/json', or XML and"
                    + " 'application/xml'.")
        }
        return body
    }

    /// Throws 403 unless the caller may do `rule` to something of `owner`'s.
    func require(_ rule: String, owner: String? = nil) throws {
        try services.policy.require(rule, context, owner: owner ?? context.projectID)
    }
}
