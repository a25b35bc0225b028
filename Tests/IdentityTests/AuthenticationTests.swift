// SPDX-License-Identifier: Apache-2.0

import Model
import TestSupport
import Testing

@testable import Identity

@Suite("Logging in", .timeLimit(.minutes(1)))
struct AuthenticationTests {
    @Test("a password and a project's name give a token whose document has what clients read")
    func password() async throws {
        try await Fixture.run { fixture in
            let member = fixture.credentials.member
            let answer = await fixture.send(
                "POST", "/v3/auth/tokens",
                body: Fixture.login(member.userName, member.password.revealed, project: member.projectName))
            #expect(answer.status == 201)
            let text = try #require(answer.headers["x-subject-token"])
            #expect(text.hasPrefix("gAAAA") && text.utf8.count < 255)
            let token = try #require(answer.json["token"])
            #expect(token["methods"] == ["password"])
            #expect(token["user"]?["name"] == "demo")
            #expect(token["user"]?["domain"] == ["id": "default", "name": "Default"])
            #expect(token["project"]?["name"] == "demo")
            #expect(token["project"]?["id"]?.stringValue?.utf8.count == 32)
            #expect(token["roles"]?.arrayValue?.compactMap { $0["name"]?.stringValue } == ["member", "reader"])
            #expect(token["issued_at"] == "2020-09-13T12:26:40.000000Z")
            #expect(token["expires_at"] == "2020-09-13T16:26:40.000000Z")
            #expect(token["audit_ids"]?.arrayValue?.count == 1)
            let services = token["catalog"]?.arrayValue ?? []
            #expect(services.map { $0["type"]?.stringValue } == ["database", "object-store", "identity"])
            let endpoints = services[0]["endpoints"]?.arrayValue ?? []
            #expect(Set(endpoints.compactMap { $0["interface"]?.stringValue }) == ["public", "internal", "admin"])
            let project = try #require(token["project"]?["id"]?.stringValue)
            for endpoint in endpoints {
                #expect(endpoint["url"]?.stringValue == "http://127.0.0.1:8779/v1.0/\(project)")
                #expect(endpoint["region"] == "RegionOne")
            }
        }
    }

    @Test("ids do as well as names, for users, projects and domains")
    func ids() async throws {
        try await Fixture.run { fixture in
            let directory = fixture.identity.directory
            let user = try #require(directory.user(named: "demo"))
            let project = try #require(directory.project(named: "demo"))
            let password = JSONValue.string(fixture.credentials.member.password.revealed)
            let body: JSONValue = [
                "auth": [
                    "identity": [
                        "methods": ["password"], "password": ["user": ["id": .string(user.id), "password": password]],
                    ],
                    "scope": ["project": ["id": .string(project.id)]],
                ]
            ]
            #expect(await fixture.send("POST", "/v3/auth/tokens", body: body).status == 201)
            let byDomainID = Fixture.login(
                "demo", fixture.credentials.member.password.revealed, project: "demo", domain: ["id": "default"])
            #expect(await fixture.send("POST", "/v3/auth/tokens", body: byDomainID).status == 201)
        }
    }

    @Test("without a scope there is no project, no role and no catalogue; a token is rescoped")
    func rescoping() async throws {
        try await Fixture.run { fixture in
            let unscoped = try await fixture.token(fixture.credentials.member, isScoped: false)
            let look = await fixture.send("GET", "/v3/auth/tokens", token: unscoped, subject: unscoped)
            #expect(look.json["token"]?["project"] == nil && look.json["token"]?["catalog"] == nil)
            #expect(try await fixture.identity.validate(unscoped).projectID == "")
            #expect(await fixture.send("GET", "/v3/auth/catalog", token: unscoped).status == 403)

            fixture.clock.advance(by: .seconds(3600))
            let scope: JSONValue = ["project": ["name": "demo", "domain": ["id": "default"]]]
            let scoped = await fixture.send("POST", "/v3/auth/tokens", body: Fixture.rescope(unscoped, scope))
            #expect(scoped.status == 201)
            let token = try #require(scoped.json["token"])
            #expect(token["methods"] == ["password", "token"])
            #expect(token["project"]?["name"] == "demo")
            #expect(token["expires_at"] == look.json["token"]?["expires_at"])
            #expect(token["audit_ids"]?[1] == look.json["token"]?["audit_ids"]?[0])
            let text = try #require(scoped.headers["x-subject-token"])
            #expect(text.utf8.count < 255)
            let back = await fixture.send("POST", "/v3/auth/tokens", body: Fixture.rescope(text, "unscoped"))
            #expect(back.status == 201 && back.json["token"]?["project"] == nil)
        }
    }

    @Test("nocatalog leaves the catalogue out")
    func noCatalog() async throws {
        try await Fixture.run { fixture in
            let member = fixture.credentials.member
            let body = Fixture.login(member.userName, member.password.revealed, project: "demo")
            let answer = await fixture.send("POST", "/v3/auth/tokens", query: "nocatalog", body: body)
            #expect(answer.status == 201)
            #expect(answer.json["token"]?["catalog"] == nil && answer.json["token"]?["project"] != nil)
        }
    }

    @Test("wrong users, passwords, domains and scopes get one and the same answer")
    func refusals() async throws {
        try await Fixture.run { fixture in
            let right = fixture.credentials.member.password.revealed
            let bodies: [JSONValue] = [
                Fixture.login("demo", "wrong", project: "demo"), Fixture.login("nobody", right, project: "demo"),
                Fixture.login("demo", right, project: "admin"), Fixture.login("demo", right, project: "nothing"),
                Fixture.login("demo", right, project: "demo", domain: ["name": "Other"]),
                Fixture.login("demo", String(repeating: "x", count: 5000)),
                Fixture.rescope("gAAAAnothing", "unscoped"),
                ["auth": ["identity": ["methods": ["totp"], "totp": [:]]]],
            ]
            for body in bodies {
                let answer = await fixture.send("POST", "/v3/auth/tokens", body: body)
                #expect(answer.status == 401)
                #expect(answer.json["error"]?["code"] == 401)
                #expect(answer.json["error"]?["title"] == "Unauthorized")
                #expect(answer.headers["www-authenticate"] == "Keystone uri=\"http://127.0.0.1:8779/identity\"")
            }
            for scope: JSONValue in [["domain": ["id": "default"]], ["system": ["all": true]]] {
                let token = try await fixture.memberToken()
                let answer = await fixture.send("POST", "/v3/auth/tokens", body: Fixture.rescope(token, scope))
                #expect(answer.status == 401)
            }
        }
    }

    @Test("what is no authentication request is told so")
    func badRequests() async throws {
        try await Fixture.run { fixture in
            let user: JSONValue = ["name": "demo", "password": "x"]
            let bodies: [JSONValue?] = [
                nil, [], [:], ["auth": 1], ["auth": [:]], ["auth": ["identity": [:]]],
                ["auth": ["identity": ["methods": []]]], ["auth": ["identity": ["methods": ["password"]]]],
                ["auth": ["identity": ["methods": ["password"], "password": ["user": user]]]],
                ["auth": ["identity": ["methods": ["token"], "token": [:]]]],
                Fixture.rescope("t", ["project": [:]]), Fixture.rescope("t", ["project": ["id": "x"], "domain": [:]]),
            ]
            for body in bodies {
                let answer = await fixture.send("POST", "/v3/auth/tokens", body: body)
                #expect(answer.status == 400)
                #expect(answer.json["error"]?["title"] == "Bad Request")
            }
            let long: JSONValue = ["auth": .string(String(repeating: "x", count: 70_000))]
            #expect(await fixture.send("POST", "/v3/auth/tokens", body: long).status == 400)
        }
    }

    @Test("guessing is slowed down, for the guessed user only")
    func throttling() async throws {
        try await Fixture.run { fixture in
            let right = fixture.credentials.member.password.revealed
            for _ in 0..<3 {
                #expect(await fixture.send("POST", "/v3/auth/tokens", body: Fixture.login("demo", "x")).status == 401)
            }
            let refused = await fixture.send("POST", "/v3/auth/tokens", body: Fixture.login("demo", right))
            #expect(refused.status == 429)
            #expect(refused.headers["retry-after"] != nil)
            _ = try await fixture.administratorToken()
            fixture.clock.advance(by: .seconds(2))
            #expect(await fixture.send("POST", "/v3/auth/tokens", body: Fixture.login("demo", right)).status == 201)
        }
    }
}
