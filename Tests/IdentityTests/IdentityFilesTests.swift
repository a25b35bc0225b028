// SPDX-License-Identifier: Apache-2.0

import Glibc
import Model
import StateStore
import TestSupport
import Testing

@testable import Identity

@Suite("What the identity service keeps on disk", .timeLimit(.minutes(1)))
struct IdentityFilesTests {
    private func text(_ path: String) throws -> String {
        let slash = try #require(path.lastIndex(of: "/"))
        let files = PrivateFiles(directory: String(path[..<slash]))
        return String(decoding: try files.read(String(path[path.index(after: slash)...])) ?? [], as: UTF8.self)
    }

    private func mode(_ path: String) -> mode_t {
        var status = stat()
        return stat(path, &status) == 0 ? status.st_mode & 0o7777 : 0
    }

    @Test("the first start makes private files; the identity file has no password")
    func firstStart() async throws {
        try await Fixture.run { fixture in
            let secrets = fixture.path + "/secrets"
            #expect(mode(secrets) == 0o700)
            for name in ["identity.json", "token.key", "credentials.json"] {
                #expect(mode(secrets + "/" + name) == 0o600)
            }
            let identity = try text(secrets + "/identity.json")
            #expect(!identity.contains(fixture.credentials.member.password.revealed))
            #expect(!identity.contains(fixture.credentials.administrator.password.revealed))
            #expect(identity.contains("scrypt"))
            #expect(!String(describing: fixture.credentials).contains(fixture.credentials.member.password.revealed))
        }
    }

    @Test("a later start keeps users, passwords and tokens")
    func laterStart() async throws {
        try await Fixture.run { fixture in
            let token = try await fixture.memberToken()
            let again = try await fixture.restarted()
            #expect(again.bootstrap == nil)
            #expect(try await again.validate(token) == fixture.identity.validate(token))
        }
    }

    @Test("client files name the address, keep the passwords, and follow a new address")
    func clientFiles() async throws {
        try await Fixture.run { fixture in
            let home = fixture.path
            #expect(try await fixture.identity.writeClientFiles(home: home, baseURL: "http://127.0.0.1:8779"))
            let openrc = try text(home + "/openrc")
            #expect(openrc.contains("export OS_AUTH_URL='http://127.0.0.1:8779/identity/v3'\n"))
            #expect(openrc.contains("export OS_PASSWORD='\(fixture.credentials.member.password.revealed)'\n"))
            #expect(openrc.contains("export OS_IDENTITY_API_VERSION='3'\n"))
            for name in [
                "OS_USERNAME", "OS_PROJECT_NAME", "OS_USER_DOMAIN_NAME", "OS_PROJECT_DOMAIN_NAME", "OS_REGION_NAME",
            ] {
                #expect(openrc.contains("export \(name)='"))
            }
            let clouds = try text(home + "/clouds.yaml")
            #expect(clouds.contains("  trove:\n") && clouds.contains("  trove-admin:\n"))
            #expect(clouds.contains("\"\(fixture.credentials.administrator.password.revealed)\""))
            #expect(mode(home + "/openrc") == 0o600 && mode(home + "/clouds.yaml") == 0o600)

            let before = PrivateFiles(directory: home).stamp("openrc")
            let again = try await fixture.restarted()
            try await again.writeClientFiles(home: home, baseURL: "http://127.0.0.1:8779")
            #expect(PrivateFiles(directory: home).stamp("openrc") == before)
            try await again.writeClientFiles(home: home, baseURL: "http://127.0.0.2:9000")
            let moved = try text(home + "/openrc")
            #expect(moved == openrc.split(separator: "127.0.0.1:8779").joined(separator: "127.0.0.2:9000"))

            unlink(home + "/secrets/credentials.json")
            #expect(try await again.writeClientFiles(home: home, baseURL: "http://127.0.0.3:1") == false)
            #expect(try text(home + "/openrc") == moved)
        }
    }

    @Test("shell and YAML quoting keep any password")
    func quoting() {
        let files = ClientFiles(authURL: "http://h/identity/v3", region: "R")
        let odd = ClientCredentials(userName: "u", password: Secret("a'b\"c\\$(d)\n"), projectName: "p")
        #expect(files.openrc(odd).contains("export OS_PASSWORD='a'\\''b\"c\\$(d)\n'\n"))
        let yaml = files.cloudsYAML(BootstrapCredentials(member: odd, administrator: odd))
        #expect(yaml.contains(#"password: "a'b\"c\\$(d)\n""#))
    }

    @Test("operators add projects and users while the service runs")
    func administration() async throws {
        try await Fixture.run { fixture in
            let operators = IdentityAdministration(directory: fixture.path + "/secrets")
            let project = try operators.addProject(name: "shop")
            try await fixture.identity.addUser(
                name: "eve", password: Secret("pass word"), project: "shop", roles: ["member"])
            let eve = ClientCredentials(userName: "eve", password: Secret("pass word"), projectName: "shop")
            let token = try await fixture.token(eve)
            #expect(try await fixture.identity.validate(token).projectID == project)

            try operators.setRoles(["admin"], user: "eve", project: "shop")
            try await fixture.identity.reload()
            #expect(try await fixture.identity.validate(token).isAdmin)
            try operators.setPassword(Secret("other"), user: "eve")
            await #expect(throws: IdentityError.self) { try await fixture.token(eve) }
            try operators.setRoles([], user: "eve", project: "shop")
            try await fixture.identity.reload()
            await #expect(throws: IdentityError.self) { try await fixture.identity.validate(token) }

            #expect(code { try operators.addProject(name: "shop") } == .conflict)
            #expect(code { try operators.addProject(name: "") } == .badRequest)
            #expect(
                code { try operators.addUser(name: "eve", password: Secret("x"), project: "shop", roles: []) }
                    == .conflict)
            #expect(
                code { try operators.addUser(name: "z", password: Secret("x"), project: "no", roles: []) } == .notFound)
            #expect(
                code { try operators.addUser(name: "z", password: Secret(""), project: "shop", roles: []) }
                    == .badRequest)
            #expect(
                code { try operators.addUser(name: "z", password: Secret("x"), project: "shop", roles: ["a b"]) }
                    == .badRequest)
        }
    }

    @Test("a locked user's tokens and password are worth nothing")
    func locking() async throws {
        try await Fixture.run { fixture in
            let token = try await fixture.memberToken()
            let operators = IdentityAdministration(directory: fixture.path + "/secrets")
            try operators.setEnabled(false, user: "demo")
            try await fixture.identity.reload()
            await #expect(throws: IdentityError.self) { try await fixture.identity.validate(token) }
            await #expect(throws: IdentityError.self) { try await fixture.memberToken() }
            try operators.setEnabled(true, user: "demo")
            _ = try await fixture.memberToken()
        }
    }

    @Test("a new password ends the tokens of the old one, and reaches the client files")
    func passwordChange() async throws {
        try await Fixture.run { fixture in
            let old = try await fixture.memberToken()
            fixture.clock.advance(by: .seconds(1))
            let operators = IdentityAdministration(directory: fixture.path + "/secrets", clock: fixture.clock)
            try operators.setPassword(Secret("changed"), user: "demo")
            try await fixture.identity.reload()
            await #expect(throws: IdentityError.self) { try await fixture.identity.validate(old) }
            let changed = ClientCredentials(userName: "demo", password: Secret("changed"), projectName: "demo")
            _ = try await fixture.identity.validate(try await fixture.token(changed))
            try await fixture.identity.writeClientFiles(home: fixture.path, baseURL: Fixture.baseURL)
            #expect(try text(fixture.path + "/openrc").contains("export OS_PASSWORD='changed'\n"))
        }
    }

    @Test("files that others may read, or that are damaged, stop the start and are not replaced")
    func damage() async throws {
        try await Fixture.run { fixture in
            let secrets = fixture.path + "/secrets"
            chmod(secrets + "/token.key", 0o644)
            await #expect(throws: IdentityError.self) { try await fixture.restarted() }
            chmod(secrets + "/token.key", 0o600)
            for name in ["identity.json", "token.key"] {
                let files = PrivateFiles(directory: secrets)
                let good = try #require(try files.read(name))
                for bad in ["", "{", "{\"format\":2}", "1 00\n", "{\"format\":1,\"users\":[{\"id\":\"x\"}]}"] {
                    try files.write(name, Array(bad.utf8))
                    await #expect(throws: IdentityError.self) { try await fixture.restarted() }
                }
                try files.write(name, good)
            }
            _ = try await fixture.restarted()
        }
    }

    @Test("a damaged identity file is ignored by a service that runs")
    func damageWhileRunning() async throws {
        try await Fixture.run { fixture in
            let token = try await fixture.memberToken()
            try PrivateFiles(directory: fixture.path + "/secrets").write("identity.json", Array("{".utf8))
            try await fixture.identity.reload()
            _ = try await fixture.identity.validate(token)
            _ = try await fixture.memberToken()
        }
    }

    @Test("a password is known again, and nothing else is")
    func passwords() throws {
        let hash = try PasswordHash(of: Secret("correct"), random: SeededRandomSource(seed: 1))
        #expect(try hash.matches(Secret("correct")))
        #expect(try !hash.matches(Secret("Correct")))
        #expect(try !hash.matches(Secret("")))
        #expect(PasswordHash(json: hash.json) == hash)
        #expect(try !PasswordHash(decoy: SystemRandomSource()).matches(Secret("")))
    }

    private func code<Value>(_ body: () throws -> Value) -> IdentityError.Code? {
        do { _ = try body() } catch { return (error as? IdentityError)?.code }
        return nil
    }
}
