// SPDX-License-Identifier: Apache-2.0

package import Model

/// Who a token stands for.
package struct AuthenticatedIdentity: Sendable, Hashable {
    package var userID: String
    package var userName: String
    /// Empty for a token without a project; such a caller may not touch any project's resources.
    package var projectID: String
    package var projectName: String
    package var roles: [String]
    /// Whether `roles` has `admin`.
    package var isAdmin: Bool
    package var expires: Timestamp
    /// Ids of the domains that the user and the project are of; empty where there is none.
    package var userDomainID: String
    package var projectDomainID: String

    package init(
        userID: String, userName: String, projectID: String, projectName: String, roles: [String], isAdmin: Bool,
        expires: Timestamp, userDomainID: String = "", projectDomainID: String = ""
    ) {
        self.userID = userID
        self.userName = userName
        self.projectID = projectID
        self.projectName = projectName
        self.roles = roles
        self.isAdmin = isAdmin
        self.expires = expires
        self.userDomainID = userDomainID
        self.projectDomainID = projectDomainID
    }
}

/// Tells whether a token is good.
package protocol TokenValidator: Sendable {
    /// - Throws: `.unauthorized` for a token that is unknown, expired or revoked; `.unavailable`.
    func validate(_ token: String) async throws(IdentityError) -> AuthenticatedIdentity

    /// The same for a token that another service passes on, with that service's own token beside it.
    ///
    /// A service token that has one of the configured roles lets the user's token be one that has expired meanwhile; one that
    /// is not valid spoils the request. Source: `X-Service-Token` of keystonemiddleware.
    func validate(_ token: String, serviceToken: String?) async throws(IdentityError) -> AuthenticatedIdentity
}

extension TokenValidator {
    /// For validators that have no services beside them: the service's token must be good too, and changes nothing.
    package func validate(
        _ token: String, serviceToken: String?
    ) async throws(IdentityError) -> AuthenticatedIdentity {
        if let serviceToken { _ = try await validate(serviceToken) }
        return try await validate(token)
    }
}

/// A validator that also answers the Identity API.
package protocol IdentityService: TokenValidator {
    /// Where clients get tokens; nil for the routes below `/identity` of this service.
    var authenticationURL: String? { get }

    /// Answers one request below `/identity`; every failure is a response.
    func handle(_ request: IdentityRequest) async -> IdentityResponse
}

extension IdentityService {
    package var authenticationURL: String? { nil }
}

/// One HTTP request to the Identity API.
package struct IdentityRequest: Sendable {
    /// Upper case.
    package var method: String
    /// Below `/identity`: empty, `/`, `/v3/auth/tokens`, …, percent-decoded.
    package var path: String
    /// What follows `?`, as sent; empty without one.
    package var query: String
    /// Names in lower case.
    package var headers: [(String, String)]
    package var body: [UInt8]
    /// `http://host:port` as the client sees this service; no slash at the end.
    package var baseURL: String

    package init(
        method: String, path: String, query: String = "", headers: [(String, String)] = [], body: [UInt8] = [],
        baseURL: String
    ) {
        self.method = method
        self.path = path
        self.query = query
        self.headers = headers
        self.body = body
        self.baseURL = baseURL
    }

    /// The first header of that lower-case name.
    package func header(_ name: String) -> String? { headers.first { $0.0 == name }?.1 }
}

/// One HTTP response of the Identity API.
package struct IdentityResponse: Sendable {
    package var status: Int
    package var headers: [(String, String)]
    package var body: [UInt8]

    package init(status: Int, headers: [(String, String)] = [], body: [UInt8] = []) {
        self.status = status
        self.headers = headers
        self.body = body
    }
}
