// SPDX-License-Identifier: Apache-2.0

import Model
import StateStore
import Synchronization
import TestSupport
import Testing

@testable import Identity

@Suite("Tokens", .timeLimit(.minutes(1)))
struct TokenTests {
    @Test("a token tells who its holder is, and whether it is an administrator")
    func validation() async throws {
        try await Fixture.run { fixture in
            let member = try await fixture.identity.validate(try await fixture.memberToken())
            #expect(member.userName == "demo" && member.projectName == "demo" && !member.isAdmin)
            #expect(member.roles == ["member", "reader"])
            #expect(member.expires == fixture.clock.now + .seconds(4 * 3600))
            let administrator = try await fixture.identity.validate(try await fixture.administratorToken())
            #expect(administrator.isAdmin && administrator.projectName == "admin")
        }
    }

    @Test("a token ends with its time, also when it was seen before")
    func expiry() async throws {
        try await Fixture.run { fixture in
            let token = try await fixture.memberToken()
            _ = try await fixture.identity.validate(token)
            fixture.clock.advance(by: .seconds(4 * 3600) - .microseconds(1))
            _ = try await fixture.identity.validate(token)
            fixture.clock.advance(by: .microseconds(1))
            await #expect(throws: IdentityError.self) { try await fixture.identity.validate(token) }
            #expect(await fixture.send("GET", "/v3/auth/projects", token: token).status == 401)
        }
    }

    @Test("no changed, cut or foreign text is a token")
    func forgeries() async throws {
        try await Fixture.run { fixture in
            let token = try await fixture.memberToken()
            let letters = Array(token)
            for index in letters.indices {
                var changed = letters
                changed[index] = changed[index] == "A" ? "B" : "A"
                let text = String(changed)
                await #expect(throws: IdentityError.self) { try await fixture.identity.validate(text) }
                let cut = String(letters[..<index])
                await #expect(throws: IdentityError.self) { try await fixture.identity.validate(cut) }
            }
            for text in [token + "A", token + "=", "gAAAA", String(repeating: "gAAAA", count: 1000), "ä", "\0"] {
                await #expect(throws: IdentityError.self) { try await fixture.identity.validate(text) }
            }
            try await Fixture.run { other in
                await #expect(throws: IdentityError.self) { try await other.identity.validate(token) }
            }
        }
    }

    @Test("a revoked token is gone at once and after a restart; others stay")
    func revocation() async throws {
        try await Fixture.run { fixture in
            let token = try await fixture.memberToken()
            let other = try await fixture.memberToken()
            #expect(await fixture.send("DELETE", "/v3/auth/tokens", token: token, subject: token).status == 204)
            #expect(await fixture.send("GET", "/v3/auth/tokens", token: other, subject: token).status == 404)
            await #expect(throws: IdentityError.self) { try await fixture.identity.validate(token) }
            _ = try await fixture.identity.validate(other)
            let again = try await fixture.restarted()
            #expect(again.bootstrap == nil)
            await #expect(throws: IdentityError.self) { try await again.validate(token) }
            #expect(try await again.validate(other).userName == "demo")
        }
    }

    @Test("revocations of tokens that have expired are dropped")
    func purging() async throws {
        try await Fixture.run { fixture in
            let first = try await fixture.memberToken()
            _ = await fixture.send("DELETE", "/v3/auth/tokens", token: first, subject: first)
            fixture.clock.advance(by: .seconds(5 * 3600))
            let second = try await fixture.memberToken()
            _ = await fixture.send("DELETE", "/v3/auth/tokens", token: second, subject: second)
            #expect(try await fixture.store.read { try $0.revocations.all() } == [Digest.sha256(second)])
            #expect(fixture.identity.state.withLock { Array($0.revoked.keys) } == [Digest.sha256(second)])
        }
    }

    @Test("a revocation that cannot be stored is an error and ends nothing")
    func closedStore() async throws {
        try await Fixture.run { fixture in
            let token = try await fixture.memberToken()
            await fixture.store.close()
            #expect(await fixture.send("DELETE", "/v3/auth/tokens", token: token, subject: token).status == 503)
            _ = try await fixture.identity.validate(token)
        }
    }

    @Test("payloads survive their encoding")
    func payloads() throws {
        let random = SeededRandomSource(seed: 7)
        for (project, parent) in [(nil, nil), (random.bytes(16).hex, nil), (random.bytes(16).hex, random.bytes(16))] {
            let payload = TokenPayload(
                userID: random.bytes(16).hex, projectID: project, methods: [.password, .token],
                issued: Timestamp(microseconds: 1), expires: Timestamp(microseconds: .max), auditID: random.bytes(16),
                parentAuditID: parent)
            let bytes = try #require(payload.encoded)
            #expect(TokenPayload(encoded: bytes) == payload)
            #expect(TokenPayload(encoded: Array(bytes.dropLast())) == nil)
        }
    }

    @Test("the cache stays within its bound and keeps what is used")
    func cache() {
        var cache = BoundedCache<String, VerifiedToken>(capacity: 100)
        let identity = AuthenticatedIdentity(
            userID: "u", userName: "u", projectID: "", projectName: "", roles: [], isAdmin: false,
            expires: Timestamp(microseconds: 1))
        let payload = TokenPayload(
            userID: "u", projectID: nil, methods: [], issued: identity.expires, expires: identity.expires, auditID: [])
        for index in 0..<1000 {
            cache.insert(VerifiedToken(text: "\(index)", payload: payload, identity: identity), for: "\(index)")
            #expect(cache.count <= 100)
            #expect(cache.find("0") != nil)
        }
        #expect(cache.find("1") == nil)
        cache.remove("0")
        #expect(cache.find("0") == nil)
    }
}
