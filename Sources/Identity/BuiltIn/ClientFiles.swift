// SPDX-License-Identifier: Apache-2.0

import Model

/// What the OpenStack command line and SDK read to find this service. Source: openstacksdk, "Configuring OpenStack SDK Applications".
struct ClientFiles: Sendable {
    /// `http://host:port/identity/v3`.
    var authURL: String
    var region: String

    func openrc(_ credentials: ClientCredentials) -> String {
        let variables = [
            ("OS_AUTH_TYPE", "password"), ("OS_AUTH_URL", authURL), ("OS_USERNAME", credentials.userName),
            ("OS_PASSWORD", credentials.password.revealed), ("OS_PROJECT_NAME", credentials.projectName),
            ("OS_USER_DOMAIN_NAME", IdentityDirectory.domainName),
            ("OS_PROJECT_DOMAIN_NAME", IdentityDirectory.domainName), ("OS_REGION_NAME", region),
            ("OS_IDENTITY_API_VERSION", "3"),
        ]
        return "# Settings of the OpenStack clients; use it with: . openrc\n"
            + "unset OS_CLOUD OS_TOKEN OS_USER_ID OS_PROJECT_ID OS_USER_DOMAIN_ID OS_PROJECT_DOMAIN_ID OS_SYSTEM_SCOPE\n"
            + variables.map { "export \($0.0)=\(Self.shellQuoted($0.1))\n" }.joined()
    }

    /// Two clouds: `trove` for the member, `trove-admin` for the administrator.
    func cloudsYAML(_ credentials: BootstrapCredentials) -> String {
        "clouds:\n" + cloud("trove", credentials.member) + cloud("trove-admin", credentials.administrator)
    }

    private func cloud(_ name: String, _ credentials: ClientCredentials) -> String {
        let members = [
            ("auth_url", authURL), ("username", credentials.userName), ("password", credentials.password.revealed),
            ("project_name", credentials.projectName), ("user_domain_name", IdentityDirectory.domainName),
            ("project_domain_name", IdentityDirectory.domainName),
        ]
        return "  \(name):\n    auth_type: password\n    auth:\n"
            + members.map { "      \($0.0): \(JSONValue.string($0.1).text)\n" }.joined()
            + "    region_name: \(JSONValue.string(region).text)\n    identity_api_version: \"3\"\n"
    }

    /// Source: POSIX shell, "Single-Quotes".
    private static func shellQuoted(_ text: String) -> String {
        "'" + text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''") + "'"
    }
}
