// SPDX-License-Identifier: Apache-2.0

import Client
import Model
import Testing

@Suite("The variables of a client")
struct ClientSettingsTests {
    private static let base = [
        "OS_AUTH_URL": "http://127.0.0.1:1/", "OS_USERNAME": "alice", "OS_PASSWORD": "s", "OS_PROJECT_NAME": "shop",
    ]

    private func settings(_ changes: [String: String?]) throws -> ClientSettings {
        var variables = Self.base
        for (name, value) in changes { variables[name] = value }
        return try ClientSettings({ variables[$0] }, source: "the test")
    }

    @Test("a password, names in the default domain, the public interface")
    func password() throws {
        let settings = try settings([:])
        #expect(settings.authURL == "http://127.0.0.1:1/v3" && settings.interface == "public" && !settings.isInsecure)
        guard case .password(let user, let password) = settings.credentials else {
            Issue.record("no password")
            return
        }
        #expect(user == .name("alice", domain: .name("Default")) && password.revealed == "s")
        #expect(settings.project == .name("shop", domain: .name("Default")))
    }

    @Test("ids, domains, interface and trust")
    func others() throws {
        let settings = try settings([
            "OS_USER_ID": "u1", "OS_PROJECT_ID": "p1", "OS_INTERFACE": "internalURL", "OS_INSECURE": "True",
            "OS_REGION_NAME": "Mars", "OS_CACERT": "/ca.pem",
        ])
        guard case .password(.id("u1"), _) = settings.credentials else {
            Issue.record("no user id")
            return
        }
        #expect(settings.project == .id("p1") && settings.interface == "internal" && settings.isInsecure)
        #expect(settings.region == "Mars" && settings.caFile == "/ca.pem")
    }

    @Test("a token, and an application credential that has its own project")
    func otherCredentials() throws {
        guard case .token(let token) = try settings(["OS_USERNAME": nil, "OS_TOKEN": "t"]).credentials else {
            Issue.record("no token")
            return
        }
        #expect(token.revealed == "t")
        let settings = try settings([
            "OS_APPLICATION_CREDENTIAL_ID": "a", "OS_APPLICATION_CREDENTIAL_SECRET": "s", "OS_PROJECT_NAME": nil,
        ])
        guard case .applicationCredential("a", nil, nil, _) = settings.credentials else {
            Issue.record("no application credential")
            return
        }
        #expect(settings.project == nil)
    }

    @Test(
        "what is missing or wrong is named",
        arguments: [
            (["OS_AUTH_URL": nil], "OS_AUTH_URL is not set in the test"),
            (["OS_AUTH_URL": "ftp://x"], "OS_AUTH_URL"), (["OS_USERNAME": nil], "OS_USERNAME"),
            (["OS_PASSWORD": nil], "OS_PASSWORD"), (["OS_PROJECT_NAME": nil], "OS_PROJECT_NAME"),
            (["OS_AUTH_TYPE": "v3oidc"], "OS_AUTH_TYPE 'v3oidc'"), (["OS_AUTH_TYPE": "token"], "OS_TOKEN"),
            (["OS_APPLICATION_CREDENTIAL_ID": "a"], "OS_APPLICATION_CREDENTIAL_SECRET"),
            (["OS_INTERFACE": "private"], "OS_INTERFACE 'private'"),
        ] as [([String: String?], String)])
    func missing(changes: [String: String?], words: String) {
        let error = #expect(throws: ClientError.self) { try settings(changes) }
        #expect(error?.code == .configuration && error?.message.contains(words) == true, "\(error?.message ?? "")")
    }

    @Test("an openrc is read as a shell reads it")
    func openrc() {
        let variables = OpenRC.variables("# x\nexport A='it'\\''s'\nexport B=plain\nunset C\nexport D\n")
        #expect(variables == ["A": "it's", "B": "plain"])
    }
}
