// SPDX-License-Identifier: Apache-2.0

import HTTPClient
import Model

/// How a client gets its token.
///
/// Source: Identity API v3, "Authentication and token management".
enum Authentication {
    /// The body of `POST /v3/auth/tokens`; it holds secrets.
    static func request(_ settings: ClientSettings) -> JSONValue {
        let identity: JSONValue
        switch settings.credentials {
        case .password(let user, let password):
            var members = reference(user)
            members["password"] = .string(password.revealed)
            identity = ["methods": ["password"], "password": ["user": .object(members)]]
        case .token(let token): identity = ["methods": ["token"], "token": ["id": .string(token.revealed)]]
        case .applicationCredential(let id, let name, let user, let secret):
            var members: [String: JSONValue] = ["secret": .string(secret.revealed)]
            if let id { members["id"] = .string(id) }
            if let name { members["name"] = .string(name) }
            if let user { members["user"] = .object(reference(user)) }
            identity = ["methods": ["application_credential"], "application_credential": .object(members)]
        }
        guard let project = settings.project else { return ["auth": ["identity": identity]] }
        return ["auth": ["identity": identity, "scope": ["project": .object(reference(project))]]]
    }

    /// Whom a message is about.
    static func subject(_ settings: ClientSettings) -> String {
        switch settings.credentials {
        case .password(let user, _): "user '\(user.text)'"
        case .token: "the token"
        case .applicationCredential(let id, let name, _, _): "the application credential '\(id ?? name ?? "")'"
        }
    }

    /// The address of the service of `type` in the catalogue of a token.
    ///
    /// - Throws: `ClientError` that names the region and the interface.
    static func endpoint(_ type: String, _ answer: JSONValue, _ settings: ClientSettings) throws -> String {
        let services = answer["token"]?["catalog"]?.arrayValue ?? []
        let endpoints = services.filter { $0["type"]?.stringValue == type }.flatMap {
            $0["endpoints"]?.arrayValue ?? []
        }
        let chosen = endpoints.first { endpoint in
            endpoint["interface"]?.stringValue == settings.interface
                && (settings.region == nil || endpoint["region"]?.stringValue == settings.region
                    || endpoint["region_id"]?.stringValue == settings.region)
        }
        guard var url = chosen?["url"]?.stringValue else {
            let place = settings.region.map { " in region '\($0)'" } ?? ""
            throw ClientError(
                .configuration, "the catalogue has no \(settings.interface) endpoint of type '\(type)'\(place)")
        }
        while url.hasSuffix("/") { url.removeLast() }
        return url
    }

    private static func reference(_ name: ClientSettings.Name) -> [String: JSONValue] {
        switch name {
        case .id(let id): ["id": .string(id)]
        case .name(let name, .id(let domain)): ["name": .string(name), "domain": ["id": .string(domain)]]
        case .name(let name, .name(let domain)): ["name": .string(name), "domain": ["name": .string(domain)]]
        }
    }
}
