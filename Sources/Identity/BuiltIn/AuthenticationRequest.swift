// SPDX-License-Identifier: Apache-2.0

import Model

/// The body of `POST /v3/auth/tokens`.
///
/// Shape: `{"auth": {"identity": {"methods": [name], "password": {"user": {id | name and domain, password}}, "token": {"id"}},
/// "scope": "unscoped" | {"project": {id | name and domain}}}}`. Source: Identity API v3, "Password authentication with
/// scoped authorization" and its siblings.
struct AuthenticationRequest: Sendable {
    /// An id, or a name in the one domain; `nil` when another domain was named.
    enum Reference: Sendable, Hashable {
        case id(String)
        case name(String)
        case elsewhere
    }

    enum Method: Sendable {
        case password(Reference, Secret)
        case token(String)
    }

    enum Scope: Sendable, Hashable {
        case none
        case project(Reference)
        /// A domain, the system or a trust: nobody here has roles on one.
        case unavailable
    }

    var methods: [Method] = []
    var scope = Scope.none

    /// - Throws: `.badRequest` naming the missing member; `.unauthorized` for a method that is not offered.
    init(body: [UInt8]) throws(IdentityError) {
        guard let json = try? JSONValue(parsing: body, maximumDepth: 16), json.objectValue != nil else {
            throw IdentityError(.badRequest, "The request body is not a JSON object.")
        }
        guard let auth = json["auth"], auth.objectValue != nil else {
            throw Self.missing("auth", in: "the request body")
        }
        guard let identity = auth["identity"], identity.objectValue != nil else {
            throw Self.missing("identity", in: "auth")
        }
        guard let names = identity["methods"]?.arrayValue, !names.isEmpty else {
            throw Self.missing("methods", in: "identity")
        }
        for name in names {
            switch name.stringValue {
            case "password": methods.append(try Self.password(identity["password"]))
            case "token":
                guard let id = identity["token"]?["id"]?.stringValue else { throw Self.missing("id", in: "token") }
                methods.append(.token(id))
            default: throw IdentityError(.unauthorized, "Attempted to authenticate with an unsupported method.")
            }
        }
        scope = try Self.scope(auth["scope"])
    }

    private static func password(_ json: JSONValue?) throws(IdentityError) -> Method {
        guard let user = json?["user"], user.objectValue != nil else { throw missing("user", in: "password") }
        guard let password = user["password"]?.stringValue else { throw missing("password", in: "user") }
        return .password(try reference(user, kind: "user"), Secret(password))
    }

    private static func scope(_ json: JSONValue?) throws(IdentityError) -> Scope {
        guard let json, !json.isNull, json != "unscoped" else { return .none }
        guard let members = json.objectValue else { throw missing("project", in: "scope") }
        guard !members.isEmpty, members["unscoped"] == nil else { return .none }
        guard members.count == 1 else {
            throw IdentityError(.badRequest, "A token has one scope: a project, or none.")
        }
        guard let project = members["project"] else { return .unavailable }
        return .project(try reference(project, kind: "project"))
    }

    private static func reference(_ json: JSONValue, kind: String) throws(IdentityError) -> Reference {
        if let id = json["id"]?.stringValue { return .id(id) }
        guard let name = json["name"]?.stringValue else { throw missing("id or name", in: kind) }
        guard let domain = json["domain"] else { throw missing("domain", in: kind) }
        let id = domain["id"]?.stringValue
        let domainName = domain["name"]?.stringValue
        guard id != nil || domainName != nil else { throw missing("id or name", in: "domain") }
        return IdentityDirectory.isDomain(id: id, name: domainName) ? .name(name) : .elsewhere
    }

    private static func missing(_ member: String, in parent: String) -> IdentityError {
        IdentityError(.badRequest, "Expecting to find \(member) in \(parent).")
    }
}
