// SPDX-License-Identifier: Apache-2.0

package import Model

/// Which Keystone tells whether tokens are good, and how long its word is taken.
package struct KeystoneConfiguration: Sendable {
    /// `https://host:port`, `https://host/identity`, with or without `/v3` behind it.
    package var url: String
    /// The service user: it validates tokens, for which Keystone wants a role such as `service` or `admin`.
    package var user: String
    package var password: Secret
    package var project: String
    /// Names; `default` is taken as the id that every Keystone's first domain has.
    package var userDomain: String
    package var projectDomain: String
    /// Certificates to trust, PEM; nil: the system's.
    package var caFile: String?
    /// How long a validated token may be used at most without Keystone's word again, however long Keystone is away.
    package var cache: Duration
    /// How long a validated token is used before Keystone is asked again: so long lives a revoked one at most, while Keystone
    /// answers. Not less often than `cache`.
    package var revocationWindow: Duration
    /// A service token with one of these roles lets the token beside it be an expired one.
    package var serviceTokenRoles: [String]
    /// What a refused client is told to ask for a token; nil: `url`.
    package var publicURL: String?
    /// One exchange with Keystone, connecting included.
    package var timeout: Duration

    package init(
        url: String, user: String = "trove", password: Secret, project: String = "service",
        userDomain: String = "Default", projectDomain: String = "Default", caFile: String? = nil,
        cache: Duration = .seconds(300), revocationWindow: Duration = .seconds(10),
        serviceTokenRoles: [String] = ["service"], publicURL: String? = nil, timeout: Duration = .seconds(5)
    ) {
        self.url = url
        self.user = user
        self.password = password
        self.project = project
        self.userDomain = userDomain
        self.projectDomain = projectDomain
        self.caFile = caFile
        self.cache = cache
        self.revocationWindow = revocationWindow
        self.serviceTokenRoles = serviceTokenRoles
        self.publicURL = publicURL
        self.timeout = timeout
    }

    /// `url` without a slash at its end and with `/v3`.
    var versionedURL: String {
        var text = url[...]
        while text.hasSuffix("/") { text = text.dropLast() }
        return text.hasSuffix("/v3") ? String(text) : text + "/v3"
    }

    /// `POST /v3/auth/tokens` of the service user. Source: Identity API v3, "Password authentication with scoped authorization".
    var login: JSONValue {
        [
            "auth": [
                "identity": [
                    "methods": ["password"],
                    "password": [
                        "user": [
                            "name": .string(user), "domain": Self.domain(userDomain),
                            "password": .string(password.revealed),
                        ]
                    ],
                ],
                "scope": ["project": ["name": .string(project), "domain": Self.domain(projectDomain)]],
            ]
        ]
    }

    private static func domain(_ text: String) -> JSONValue {
        text == "default" ? ["id": "default"] : ["name": .string(text)]
    }
}
