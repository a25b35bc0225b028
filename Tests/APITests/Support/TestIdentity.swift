// SPDX-License-Identifier: Apache-2.0

import Identity
import Model

/// Who calls in these tests; the token is the name.
struct TestIdentity: IdentityService {
    static let projects = [
        "alice": "11111111111111111111111111111111", "bob": "22222222222222222222222222222222",
        "admin": "99999999999999999999999999999999",
        // A token without a project.
        "nobody": "",
    ]

    func validate(_ token: String) async throws(IdentityError) -> AuthenticatedIdentity {
        if token == "later" { throw IdentityError(.unavailable, "the state store does not answer") }
        guard let project = Self.projects[token] else { throw IdentityError(.unauthorized, "unknown token") }
        return AuthenticatedIdentity(
            userID: "user-" + token, userName: token, projectID: project, projectName: token,
            roles: token == "admin" ? ["admin"] : ["member"], isAdmin: token == "admin",
            expires: Timestamp(seconds: 4_000_000_000)
        )
    }

    /// Answers with what it was asked.
    func handle(_ request: IdentityRequest) async -> IdentityResponse {
        let document: JSONValue = [
            "method": .string(request.method), "path": .string(request.path), "query": .string(request.query),
            "base_url": .string(request.baseURL), "body": .string(String(decoding: request.body, as: UTF8.self)),
        ]
        return IdentityResponse(status: 201, headers: [("X-Subject-Token", "t")], body: document.serialized)
    }
}
