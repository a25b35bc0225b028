// SPDX-License-Identifier: Apache-2.0

import Identity
import KeyManager
import Model
import StateStore

/// `/key-manager/v1/…`: secrets and containers of them, as clients of Barbican keep certificates.
///
/// Secrets of type text or bytes with a payload of 20,000 bytes, containers of type `certificate`, `rsa` and `generic`; no orders,
/// consumers, access lists and transport keys, and no microversions. Only callers of the project that a thing is of may use it, and
/// administrators; the role `reader` alone is not enough. Source: Key Manager API v1; Barbican 23.
struct KeyManagerFace: Sendable {
    private static let root = StoredCertificates.path

    let services: APIServices
    let management: KeyManagement
    /// `http://host:port/key-manager/v1`, as the client names this service.
    let base: String

    init(_ services: APIServices, _ management: KeyManagement, _ request: APIRequest) {
        self.services = services
        self.management = management
        base = APICall.baseURL(request, services.configuration) + Self.root + "/v1"
    }

    static func isPath(_ path: String) -> Bool { path == root || path.hasPrefix(root + "/") }

    /// The documents that tell of versions, which need no token; nil for another path.
    func versions(_ request: APIRequest) -> APIResponse? {
        let version: JSONValue = [
            "id": "v1", "status": "stable", "links": [["rel": "self", "href": .string(base + "/")]],
            "media-types": [
                ["base": "application/json", "type": "application/vnd.openstack.key-manager-v1+json"]
            ],
        ]
        let document: (Int, JSONValue)
        switch request.path {
        case Self.root, Self.root + "/": document = (300, ["versions": ["values": [version]]])
        case Self.root + "/v1", Self.root + "/v1/": document = (200, ["version": version])
        default: return nil
        }
        guard request.method == "GET" else { return KeyManagerFault.wrongMethod.response }
        return APIResponse(status: document.0, body: document.1.serialized)
    }

    /// Answers a request that has a token.
    func respond(to request: APIRequest, _ caller: AuthenticatedIdentity) async throws -> APIResponse {
        guard !caller.projectID.isEmpty, caller.roles.contains(where: { $0 != "reader" }) else {
            throw KeyManagerFault(403, "Secrets are for callers with a role in a project other than 'reader'.")
        }
        var parts: [String] = []
        for part in request.path.dropFirst(Self.root.count + 1).split(separator: "/", omittingEmptySubsequences: false)
        {
            guard let part = PercentEncoding.decode(part) else { throw KeyManagerFault.unknownPath }
            parts.append(part)
        }
        if parts.last == "" { parts.removeLast() }
        guard parts.first == "v1", parts.count > 1, let kind = KeyReference.Kind(rawValue: parts[1]) else {
            throw KeyManagerFault.unknownPath
        }
        guard parts.count > 2 else {
            switch (request.method, kind) {
            case ("GET", .secrets): return try await listSecrets(request, caller)
            case ("POST", .secrets): return try await createSecret(request, caller)
            case ("GET", .containers): return try await listContainers(request, caller)
            case ("POST", .containers): return try await createContainer(request, caller)
            default: throw KeyManagerFault.wrongMethod
            }
        }
        let id = parts[2].lowercased()
        guard KeyReference.isID(id) else {
            throw KeyManagerFault(
                404, "Not Found. Provided \(kind == .secrets ? "secret" : "container") id is invalid.")
        }
        if parts.count == 4, kind == .secrets, parts[3] == "payload" {
            guard request.method == "GET" else { throw KeyManagerFault.wrongMethod }
            return try await payload(id, request, caller)
        }
        guard parts.count == 3 else { throw KeyManagerFault.unknownPath }
        switch (request.method, kind) {
        case ("GET", .secrets): return try await showSecret(id, request, caller)
        case ("PUT", .secrets): return try await fillSecret(id, request, caller)
        case ("DELETE", .secrets): return try await deleteSecret(id, caller)
        case ("GET", .containers): return try await showContainer(id, caller)
        case ("DELETE", .containers): return try await deleteContainer(id, caller)
        default: throw KeyManagerFault.wrongMethod
        }
    }

    /// A body of `application/json`.
    func document(_ request: APIRequest) async throws -> JSONValue {
        let type = request.header("content-type")?.split(separator: ";").first.map { $0.lowercased() }
        guard type == "application/json" else {
            throw KeyManagerFault(415, "Unexpected content type. Expected content types are: ['application/json']")
        }
        let bytes = try await request.bytes(limit: SecretRequest.bodyBytes)
        do throws(JSONError) { return try JSONValue(parsing: bytes) } catch {
            throw KeyManagerFault(400, "Malformed JSON: \(error.message).")
        }
    }

    /// 201 with where the new thing is.
    func made(_ name: String, _ reference: String) -> APIResponse {
        var response = APIResponse(status: 201, body: JSONValue.object([name: .string(reference)]).serialized)
        response.headers.append(("location", reference))
        return response
    }

    func require(_ limit: Int, above count: Int, _ what: String) throws(KeyManagerFault) {
        guard limit >= 0, count >= limit else { return }
        throw KeyManagerFault(403, "Quota reached for project: it has \(count) \(what), and may have \(limit).")
    }
}
