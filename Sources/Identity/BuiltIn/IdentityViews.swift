// SPDX-License-Identifier: Apache-2.0

import Model

/// The documents of the Identity API, as the clients expect them. Source: Identity API v3.
struct IdentityViews: Sendable {
    var baseURL: String
    var region: String
    var keyManager: String?

    private var root: String { baseURL + "/identity" }

    /// The body of a token; `directory` gives the names.
    func token(_ token: VerifiedToken, in directory: IdentityDirectory, withCatalog: Bool) -> JSONValue {
        let payload = token.payload
        let audits = [payload.auditID] + (payload.parentAuditID.map { [$0] } ?? [])
        var members: [String: JSONValue] = [
            "methods": .array(payload.methods.names.map(JSONValue.string)),
            "audit_ids": .array(audits.map { .string(Base64URL.encode($0)) }),
            "issued_at": .string(Self.time(payload.issued)),
            "expires_at": .string(Self.time(payload.expires)),
            "user": [
                "id": .string(token.identity.userID), "name": .string(token.identity.userName), "domain": Self.domain,
                "password_expires_at": .null,
            ],
        ]
        if let projectID = payload.projectID {
            members["project"] = [
                "id": .string(projectID), "name": .string(token.identity.projectName), "domain": Self.domain,
            ]
            members["is_domain"] = false
            members["roles"] = .array(
                token.identity.roles.map { ["id": .string(Digest.id("role \($0)")), "name": .string($0)] })
            if withCatalog {
                members["catalog"] = ServiceCatalog(baseURL: baseURL, region: region, keyManager: keyManager)
                    .json(projectID: projectID)
            }
        }
        return ["token": .object(members)]
    }

    func project(_ project: IdentityProject) -> JSONValue {
        [
            "id": .string(project.id), "name": .string(project.name), "domain_id": .string(IdentityDirectory.domainID),
            "parent_id": .string(IdentityDirectory.domainID), "description": "", "is_domain": false,
            "enabled": .bool(project.isEnabled), "tags": [], "options": [:],
            "links": ["self": .string("\(root)/v3/projects/\(project.id)")],
        ]
    }

    func user(_ user: IdentityUser) -> JSONValue {
        [
            "id": .string(user.id), "name": .string(user.name), "domain_id": .string(IdentityDirectory.domainID),
            "enabled": .bool(user.isEnabled), "password_expires_at": .null, "options": [:],
            "links": ["self": .string("\(root)/v3/users/\(user.id)")],
        ]
    }

    var domain: JSONValue {
        [
            "id": .string(IdentityDirectory.domainID), "name": .string(IdentityDirectory.domainName),
            "description": "The default domain", "enabled": true, "tags": [], "options": [:],
            "links": ["self": .string("\(root)/v3/domains/\(IdentityDirectory.domainID)")],
        ]
    }

    /// A list document: `{name: items, "links": {…}}`.
    func list(_ name: String, _ items: [JSONValue], path: String) -> JSONValue {
        [
            name: .array(items),
            "links": ["self": .string(root + path), "next": .null, "previous": .null],
        ]
    }

    /// What the service speaks, for `GET /identity`.
    var versions: JSONValue { ["versions": ["values": [version]]] }

    /// For `GET /identity/v3`.
    var version: JSONValue {
        [
            "id": "v3.14", "status": "stable", "updated": "2020-04-07T00:00:00Z",
            "links": [["rel": "self", "href": .string(root + "/v3/")]],
            "media-types": [
                ["base": "application/json", "type": "application/vnd.openstack.identity-v3+json"]
            ],
        ]
    }

    private static var domain: JSONValue {
        ["id": .string(IdentityDirectory.domainID), "name": .string(IdentityDirectory.domainName)]
    }

    /// `YYYY-MM-DDTHH:MM:SS.ffffffZ`.
    static func time(_ time: Timestamp) -> String {
        let fraction = String(((time.microseconds % 1_000_000) + 1_000_000) % 1_000_000)
        return time.text + "." + String(repeating: "0", count: 6 - fraction.count) + fraction + "Z"
    }
}
