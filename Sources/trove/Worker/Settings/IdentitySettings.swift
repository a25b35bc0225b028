// SPDX-License-Identifier: Apache-2.0

import Identity
import Model

/// Keystone: group `identity`.
struct IdentitySettings: Sendable {
    /// `https://host:port/v3`; nil: the identity service inside the control plane.
    var url: String?
    /// The address that refused clients are sent to, where it differs from `url`.
    var publicURL: String?
    var user = "trove"
    var password: Secret?
    var project = "service"
    var userDomain = "Default"
    var projectDomain = "Default"
    var caFile: String?
    /// Seconds that a token is trusted without asking again.
    var cache = 300
    /// Seconds after which a revoked token is refused at the latest.
    var revocationWindow = 10
    var serviceTokenRoles = ["service"]
    /// Seconds that one exchange with Keystone may take.
    var timeout = 10

    static let keys: Set<String> = [
        "identity.url", "identity.public_url", "identity.user", "identity.password_file", "identity.project",
        "identity.user_domain", "identity.project_domain", "identity.ca_file", "identity.cache_seconds",
        "identity.revocation_window", "identity.service_token_roles", "identity.timeout",
    ]

    init() {}

    init(_ settings: SettingReader) throws {
        url = try settings.webAddress("identity.url")
        publicURL = try settings.webAddress("identity.public_url")
        user = settings.text("identity.user") ?? user
        password = try settings.secret("identity.password")
        project = settings.text("identity.project") ?? project
        userDomain = settings.text("identity.user_domain") ?? userDomain
        projectDomain = settings.text("identity.project_domain") ?? projectDomain
        caFile = try settings.file("identity.ca_file")
        try settings.integer("identity.cache_seconds", &cache, 0...86_400)
        try settings.integer("identity.revocation_window", &revocationWindow, 0...86_400)
        try settings.integer("identity.timeout", &timeout, 1...300)
        serviceTokenRoles = settings.list("identity.service_token_roles") ?? serviceTokenRoles
        guard url == nil || password != nil else {
            throw settings.error(
                "identity.url", "needs a password: set TROVE_IDENTITY_PASSWORD or 'identity.password_file'")
        }
    }

    /// How tokens are validated; nil: by the identity service inside the control plane.
    var keystone: KeystoneConfiguration? {
        guard let url, let password else { return nil }
        return KeystoneConfiguration(
            url: url, user: user, password: password, project: project, userDomain: userDomain,
            projectDomain: projectDomain, caFile: caFile, cache: .seconds(cache),
            revocationWindow: .seconds(revocationWindow), serviceTokenRoles: serviceTokenRoles, publicURL: publicURL,
            timeout: .seconds(timeout))
    }
}
