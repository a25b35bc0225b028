// SPDX-License-Identifier: Apache-2.0

import HTTPClient
import Model
import Synchronization
import TestSupport
import Testing

@testable import Identity

/// Against a real Keystone, one suite after the other: some of them end or halt it.
@Suite("Keystone", .serialized)
enum KeystoneTests {
    @Suite("Keystone: validation", .serialized)
    struct Validation {
        @Test("a valid token gives its user, project, roles and domains, and is asked for once")
        func valid() async throws {
            let fixture = try KeystoneFixture()
            let keystone = try fixture.identity()
            let token = try await fixture.token("demo")
            let caller = try await keystone.validate(token)
            #expect(caller.userName == "demo" && caller.projectName == "demo" && caller.projectID.count == 32)
            #expect(caller.roles.contains("member") && !caller.isAdmin)
            #expect(caller.userDomainID == "default" && caller.projectDomainID == "default")
            for _ in 0..<10 { #expect(try await keystone.validate(token, serviceToken: nil) == caller) }
            let administrator = try await keystone.validate(try await fixture.token("admin"))
            #expect(administrator.isAdmin && administrator.projectID != caller.projectID)
            #expect(
                keystone.counts == KeystoneIdentity.Counts(remembered: 10, bridged: 0, asked: 2, logins: 1))
            #expect(fixture.log.lines == [])
        }

        @Test(
            "what is no token is refused, and asked for once at most",
            arguments: [
                ("gAAAAAnonsense", 1), ("0123456789abcdef0123456789abcdef", 1),
                (String(repeating: "x", count: 8192), 1),
                (String(repeating: "x", count: 8193), 0), ("", 0), ("two words", 0), ("line\r\nX-Evil: 1", 0), ("é", 0),
                ("nul\u{0}", 0),
            ])
        func invalid(_ token: String, _ questions: Int) async throws {
            let keystone = try KeystoneFixture().identity()
            for _ in 0..<3 {
                #expect(
                    await outcome { () throws(IdentityError) in try await keystone.validate(token) }.code
                        == .unauthorized)
            }
            #expect(keystone.counts.asked == questions)
        }

        @Test("a revoked token is refused within the window")
        func revoked() async throws {
            let fixture = try KeystoneFixture()
            let keystone = try fixture.identity()
            let token = try await fixture.token("demo")
            _ = try await keystone.validate(token)
            try await fixture.revoke(token)
            fixture.uptime.advance(by: .seconds(9.9))
            #expect(await outcome { () throws(IdentityError) in try await keystone.validate(token) }.isSuccess)
            fixture.uptime.advance(by: .seconds(0.1))
            #expect(
                await outcome { () throws(IdentityError) in try await keystone.validate(token) }.code == .unauthorized)
            #expect(keystone.counts.asked == 2)
        }

        @Test("a clock that is wrong by hours keeps nobody out and nothing in", arguments: [-7200, 7200])
        func clocks(_ seconds: Int) async throws {
            let fixture = try KeystoneFixture()
            let clock = TestClock(SystemWallClock().now)
            let keystone = try fixture.identity(clock: clock)
            let token = try await fixture.token("demo")
            _ = try await keystone.validate(token)
            clock.advance(by: .seconds(seconds))
            let caller = try await keystone.validate(try await fixture.token("other"))
            #expect(caller.userName == "other")
            #expect(await outcome { () throws(IdentityError) in try await keystone.validate(token) }.isSuccess)
            try await fixture.revoke(token)
            fixture.uptime.advance(by: .seconds(10))
            #expect(
                await outcome { () throws(IdentityError) in try await keystone.validate(token) }.code == .unauthorized)
            #expect(keystone.counts.logins == 1)
        }

        @Test("an unrevoked token is asked for again after the window, not before")
        func window() async throws {
            let fixture = try KeystoneFixture()
            let keystone = try fixture.identity { $0.revocationWindow = .seconds(60) }
            let token = try await fixture.token("demo")
            for _ in 0..<10 {
                _ = try await keystone.validate(token)
                fixture.uptime.advance(by: .seconds(30))
            }
            #expect(keystone.counts == KeystoneIdentity.Counts(remembered: 5, bridged: 0, asked: 5, logins: 1))
        }

        @Test("many callers with one token ask once; many tokens are asked for side by side and not mixed up")
        func many() async throws {
            let fixture = try KeystoneFixture()
            let keystone = try fixture.identity()
            let first = try await fixture.token("demo")
            let callers = (0..<200).map { _ in Task { try await keystone.validate(first) } }
            for caller in callers { #expect(try await caller.value.userName == "demo") }
            #expect(keystone.counts.asked == 1 && keystone.counts.logins == 1)

            let users = ["demo", "other", "observer"]
            var tokens: [(user: String, token: String)] = []
            for user in users {
                let root = try await fixture.token(user)
                for _ in 0..<20 { tokens.append((user, try await fixture.sibling(of: root))) }
            }
            #expect(Set(tokens.map(\.token)).count == 60)
            let checks = (tokens + tokens + tokens).map { (user, token) in
                Task { (user, try await keystone.validate(token)) }
            }
            for check in checks {
                let (user, caller) = try await check.value
                #expect(caller.userName == user)
            }
            #expect(keystone.counts.asked == 61 && keystone.counts.logins == 1)
        }

        @Test("a token without a project has none here, and no roles")
        func unscoped() async throws {
            let fixture = try KeystoneFixture()
            let body = Fixture.login("demo", try fixture.nodes.password("keystone", "demo"))
            let token = try #require(
                try await fixture.send("POST", "/auth/tokens", body: body).headers["x-subject-token"])
            let caller = try await fixture.identity().validate(token)
            #expect(caller.projectID == "" && caller.roles == [] && caller.projectDomainID == "")
        }

        @Test("clients are sent to the public address; there are no routes here")
        func routes() async throws {
            let fixture = try KeystoneFixture()
            let own = try fixture.identity()
            #expect(try own.authenticationURL == fixture.nodes.text("keystone", "url"))
            let keystone = try fixture.identity { $0.publicURL = "https://keystone.example.org:5000" }
            #expect(keystone.authenticationURL == "https://keystone.example.org:5000")
            let answer = await keystone.handle(
                IdentityRequest(method: "POST", path: "/v3/auth/tokens", baseURL: Fixture.baseURL))
            #expect(answer.status == 404)
        }
    }

    @Suite("Keystone: service user", .serialized)
    struct ServiceUser {
        @Test("the right settings log in; domains go by name, and the first by its id")
        func right() async throws {
            let fixture = try KeystoneFixture()
            try await fixture.identity().checkService()
            try await fixture.identity { ($0.userDomain, $0.projectDomain) = ("default", "default") }.checkService()
        }

        @Test(
            "what Keystone refuses is told without the password, as no service rather than as a wrong token",
            arguments: ["password", "user", "project", "domain"])
        func wrong(_ setting: String) async throws {
            let fixture = try KeystoneFixture()
            let keystone = try fixture.identity { configuration in
                switch setting {
                case "password": configuration.password = Secret("wrong-4711")
                case "user": configuration.user = "nobody"
                case "project": configuration.project = "nowhere"
                default: configuration.userDomain = "Elsewhere"
                }
            }
            let token = try await fixture.token("demo")
            for _ in 0..<3 {
                let answer = await outcome { () throws(IdentityError) in try await keystone.validate(token) }
                guard case .failure(let error) = answer else {
                    Issue.record("a token was let in")
                    return
                }
                #expect(error.code == .unavailable && error.isRetryable)
                #expect(error.message.contains("refuses the service user"))
                #expect(!error.message.contains("4711") && !error.message.contains(token))
            }
            #expect(
                fixture.log.lines.count == 1 && fixture.log.lines[0].hasPrefix("warning tokens cannot be validated"))
            #expect(!fixture.log.lines[0].contains("4711"))
        }

        @Test("a user without the right to validate is told as that")
        func powerless() async throws {
            let fixture = try KeystoneFixture()
            let password = Secret(try fixture.nodes.password("keystone", "demo"))
            let keystone = try fixture.identity { configuration in
                (configuration.user, configuration.password, configuration.project) = ("demo", password, "demo")
            }
            let answer = await outcome { () throws(IdentityError) in
                try await keystone.validate(try await tokenOf("other", fixture))
            }
            guard case .failure(let error) = answer else {
                Issue.record("a token was let in")
                return
            }
            #expect(error.code == .unavailable && error.message.contains("may not validate tokens"))
        }

        private func tokenOf(_ user: String, _ fixture: KeystoneFixture) async throws(IdentityError) -> String {
            do { return try await fixture.token(user) } catch { throw IdentityError(.files, "\(error)") }
        }

        @Test("the role 'service' is right enough")
        func serviceRole() async throws {
            let fixture = try KeystoneFixture()
            try await fixture.addServiceUser("validator", password: "only-for-tests")
            let keystone = try fixture.identity { ($0.user, $0.password) = ("validator", Secret("only-for-tests")) }
            #expect(try await keystone.validate(try await fixture.token("demo")).userName == "demo")
        }

        @Test("a service token that is revoked is replaced on the spot, once for all who notice")
        func replaced() async throws {
            let fixture = try KeystoneFixture()
            let keystone = try fixture.identity()
            try await keystone.checkService()
            let session = try #require(keystone.state.withLock { $0.session.current(now: fixture.uptime.now) })
            try await fixture.revoke(session.text.revealed)
            let root = try await fixture.token("demo")
            var tokens: [String] = []
            for _ in 0..<8 { tokens.append(try await fixture.sibling(of: root)) }
            let checks = tokens.map { token in Task { try await keystone.validate(token) } }
            for check in checks { #expect(try await check.value.userName == "demo") }
            #expect(keystone.counts.logins == 2)
        }
    }

    @Suite("Keystone: TLS", .serialized)
    struct TLS {
        @Test("its certificate must be of the authority that the settings name")
        func authority() async throws {
            let fixture = try KeystoneFixture(Nodes.shared([.keystone], tls: true))
            let token = try await fixture.token("demo")
            #expect(try await fixture.identity().validate(token).userName == "demo")
            let stranger = try fixture.identity { $0.caFile = nil }
            let answer = await outcome { () throws(IdentityError) in try await stranger.validate(token) }
            guard case .failure(let error) = answer else {
                Issue.record("a stranger's certificate was taken")
                return
            }
            #expect(error.code == .unavailable && error.message.contains("certificate"), "\(error.message)")
        }
    }
}
