// SPDX-License-Identifier: Apache-2.0

import Model
import Testing

@testable import Identity

@Suite("The Identity API's pages", .timeLimit(.minutes(1)))
struct IdentityRoutesTests {
    @Test("discovery leads from the root to version 3 without a token")
    func discovery() async throws {
        try await Fixture.run { fixture in
            for path in ["", "/"] {
                let root = await fixture.send("GET", path)
                #expect(root.status == 300)
                let version = try #require(root.json["versions"]?["values"]?[0])
                #expect(version["status"] == "stable")
                #expect(version["links"]?[0]?["href"] == "http://127.0.0.1:8779/identity/v3/")
            }
            for path in ["/v3", "/v3/"] {
                let version = await fixture.send("GET", path)
                #expect(version.status == 200)
                #expect(version.json["version"]?["id"]?.stringValue?.hasPrefix("v3.") == true)
            }
        }
    }

    @Test("a token is looked at by its own user and by administrators")
    func looking() async throws {
        try await Fixture.run { fixture in
            let member = try await fixture.memberToken()
            let administrator = try await fixture.administratorToken()
            let own = await fixture.send("GET", "/v3/auth/tokens", token: member, subject: member)
            #expect(own.status == 200 && own.headers["x-subject-token"] == member)
            #expect(own.json["token"]?["user"]?["name"] == "demo")
            let head = await fixture.send("HEAD", "/v3/auth/tokens", token: member, subject: member)
            #expect(head.status == 200 && head.json == .null)
            #expect(await fixture.send("GET", "/v3/auth/tokens", token: administrator, subject: member).status == 200)
            #expect(await fixture.send("GET", "/v3/auth/tokens", token: member, subject: administrator).status == 403)
            #expect(
                await fixture.send("DELETE", "/v3/auth/tokens", token: member, subject: administrator).status == 403)
            #expect(await fixture.send("GET", "/v3/auth/tokens", token: member, subject: "x").status == 404)
            #expect(await fixture.send("GET", "/v3/auth/tokens", token: member).status == 400)
            #expect(await fixture.send("GET", "/v3/auth/tokens", subject: member).status == 401)
        }
    }

    @Test("a member sees itself and its projects, an administrator everything")
    func lists() async throws {
        try await Fixture.run { fixture in
            let member = try await fixture.memberToken()
            let administrator = try await fixture.administratorToken()
            func names(_ path: String, _ list: String, _ token: String, query: String = "") async -> [String] {
                let answer = await fixture.send("GET", path, query: query, token: token)
                return answer.json[list]?.arrayValue?.compactMap { $0["name"]?.stringValue } ?? ["\(answer.status)"]
            }
            #expect(await names("/v3/auth/projects", "projects", member) == ["demo"])
            #expect(await names("/v3/auth/projects", "projects", administrator) == ["admin", "demo"])
            #expect(await names("/v3/auth/domains", "domains", member) == [])
            #expect(await names("/v3/projects", "projects", member) == ["demo"])
            #expect(await names("/v3/projects", "projects", administrator, query: "name=demo") == ["demo"])
            #expect(await names("/v3/users", "users", member) == ["demo"])
            #expect(await names("/v3/users", "users", administrator) == ["admin", "demo"])
            #expect(await names("/v3/domains", "domains", member, query: "name=Default") == ["Default"])
            #expect(await names("/v3/projects", "projects", administrator, query: "domain_id=other") == [])
        }
    }

    @Test("one user, project or domain is shown by id, and only to whom it concerns")
    func items() async throws {
        try await Fixture.run { fixture in
            let member = try await fixture.memberToken()
            let administrator = try await fixture.administratorToken()
            let directory = fixture.identity.directory
            let demo = try #require(directory.user(named: "demo"))
            let admin = try #require(directory.user(named: "admin"))
            let project = try #require(directory.project(named: "demo"))
            let hidden = try #require(directory.project(named: "admin"))
            let user = await fixture.send("GET", "/v3/users/\(demo.id)", token: member)
            #expect(user.json["user"]?["name"] == "demo" && user.json["user"]?["password"] == nil)
            #expect(await fixture.send("GET", "/v3/users/\(admin.id)", token: member).status == 404)
            #expect(await fixture.send("GET", "/v3/users/\(demo.id)", token: administrator).status == 200)
            let projects = await fixture.send("GET", "/v3/users/\(demo.id)/projects", token: member)
            #expect(projects.json["projects"]?[0]?["id"]?.stringValue == project.id)
            let shown = await fixture.send("GET", "/v3/projects/\(project.id)", token: member)
            #expect(shown.json["project"]?["domain_id"] == "default")
            #expect(await fixture.send("GET", "/v3/projects/\(hidden.id)", token: member).status == 404)
            #expect(await fixture.send("GET", "/v3/projects/\(hidden.id)", token: administrator).status == 200)
            #expect(
                await fixture.send("GET", "/v3/domains/default", token: member).json["domain"]?["name"] == "Default")
            #expect(await fixture.send("GET", "/v3/domains/x", token: member).status == 404)
            let catalog = await fixture.send("GET", "/v3/auth/catalog", token: member)
            #expect(catalog.json["catalog"]?.arrayValue?.count == 3)
        }
    }

    @Test(
        "the catalogue has a key manager inside this service or elsewhere, or none",
        arguments: [nil, "/key-manager", "https://k"])
    func keyManager(place: String?) {
        let catalog = ServiceCatalog(baseURL: "http://h:1", region: "R", keyManager: place).json(projectID: "p")
        let found = (catalog.arrayValue ?? []).filter { $0["type"] == "key-manager" }
        let urls = found.flatMap { $0["endpoints"]?.arrayValue ?? [] }.compactMap { $0["url"]?.stringValue }
        let expected = place.map { $0.hasPrefix("/") ? "http://h:1" + $0 : $0 }
        #expect(Set(urls) == Set([expected].compactMap { $0 }) && found.count == (place == nil ? 0 : 1))
    }

    @Test("every page but discovery and logging in wants a token")
    func guarded() async throws {
        try await Fixture.run { fixture in
            for path in [
                "/v3/auth/catalog", "/v3/auth/projects", "/v3/auth/domains", "/v3/auth/tokens", "/v3/users",
                "/v3/users/x", "/v3/users/x/projects", "/v3/projects", "/v3/projects/x", "/v3/domains",
                "/v3/domains/default",
            ] {
                for token in [nil, "", "gAAAAx"] {
                    let answer = await fixture.send("GET", path, token: token, subject: "x")
                    #expect(answer.status == 401, "\(path)")
                    #expect(answer.json["error"]?["message"] == "The request you have made requires authentication.")
                }
            }
        }
    }

    @Test("unknown pages and methods answer in the API's form")
    func unknown() async throws {
        try await Fixture.run { fixture in
            for path in [
                "/v2.0", "/v2.0/tokens", "/v3/roles", "/v3/auth", "/v3/auth/x", "/v3/users/a/b", "/v3/a/b/c/d",
            ] {
                let answer = await fixture.send("GET", path)
                #expect(answer.status == 404)
                #expect(answer.json["error"]?["title"] == "Not Found")
                #expect(answer.json["error"]?["code"] == 404)
            }
            for (method, path) in [("POST", "/v3/users"), ("PUT", "/v3/auth/tokens"), ("DELETE", "/v3")] {
                let answer = await fixture.send(method, path)
                #expect(answer.status == 405)
                #expect(answer.headers["allow"]?.contains("GET") == true)
            }
        }
    }
}
