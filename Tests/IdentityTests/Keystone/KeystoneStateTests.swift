// SPDX-License-Identifier: Apache-2.0

import Model
import Synchronization
import Testing

@testable import Identity

/// What decides without asking anybody: caches, sessions, documents.
@Suite("Keystone: state")
struct KeystoneStateTests {
    private let start = ContinuousClock.Instant.now
    private let key = TokenKey("token", expiry: .refused)
    private let identity = AuthenticatedIdentity(
        userID: "u", userName: "user", projectID: "p", projectName: "project", roles: ["member"], isAdmin: false,
        expires: Timestamp(seconds: 2_000_000_000))

    private func cache(span: Int = 300, window: Int = 10) -> ValidationCache {
        ValidationCache(span: .seconds(span), window: .seconds(window))
    }

    @Test("a good token is fresh for the window, stale until the span is over, then gone")
    func spans() {
        var cache = cache()
        #expect(cache.seen(key, now: start) == .ask)
        cache.accept(key, identity, lifetime: .seconds(3600), now: start)
        #expect(cache.seen(key, now: start + .seconds(9.9)) == .fresh(identity))
        #expect(cache.seen(key, now: start + .seconds(10)) == .stale(identity))
        #expect(cache.seen(key, now: start + .seconds(299)) == .stale(identity))
        let last = cache.decide(key, now: start + .seconds(300))
        #expect(last == .ask && cache.count == 0)
    }

    @Test(
        "a token's own end comes before the span's and the window's",
        arguments: [(4, 4, 4), (60, 10, 60), (-3600, 10, 10), (0, 10, 10)])
    func lifetimes(_ lifetime: Int, _ fresh: Int, _ end: Int) {
        var cache = cache()
        cache.accept(key, identity, lifetime: .seconds(lifetime), now: start)
        #expect(cache.seen(key, now: start + .seconds(fresh) - .milliseconds(1)) == .fresh(identity))
        #expect(cache.seen(key, now: start + .seconds(end) - .milliseconds(1)) != .ask)
        #expect(cache.seen(key, now: start + .seconds(end)) == .ask)
    }

    @Test("a window longer than the span does not lengthen it; a span of zero remembers nothing")
    func bounds() {
        var long = cache(span: 5, window: 60)
        long.accept(key, identity, lifetime: nil, now: start)
        #expect(long.seen(key, now: start + .seconds(4)) == .fresh(identity))
        #expect(long.seen(key, now: start + .seconds(5)) == .ask)
        var none = cache(span: 0)
        none.accept(key, identity, lifetime: .seconds(60), now: start)
        #expect(none.seen(key, now: start) == .ask)
        none.refuse(key, now: start)
        #expect(none.seen(key, now: start) == .ask)
        var wary = cache(window: 0)
        wary.accept(key, identity, lifetime: .seconds(60), now: start)
        #expect(wary.seen(key, now: start) == .stale(identity))
    }

    @Test(
        "a refusal takes the place of a good word, and is forgotten shortly after; inventing tokens pushes nothing out")
    func refusals() {
        var cache = cache()
        cache.accept(key, identity, lifetime: .seconds(60), now: start)
        for number in 0..<3 * ValidationCache.unknownTokens {
            cache.refuse(TokenKey("invented \(number)", expiry: .refused), now: start)
        }
        #expect(cache.count <= ValidationCache.unknownTokens + 1)
        #expect(cache.seen(key, now: start) == .fresh(identity))
        cache.refuse(key, now: start)
        #expect(cache.seen(key, now: start + .seconds(9)) == .unknown)
        #expect(cache.seen(key, now: start + .seconds(10)) == .ask)
        cache.refuse(key, now: start)
        cache.accept(key, identity, lifetime: .seconds(60), now: start)
        #expect(cache.seen(key, now: start) == .fresh(identity))
    }

    @Test("an expired token that was let in beside a service token is another one")
    func expiry() {
        var cache = cache()
        let allowed = TokenKey("token", expiry: .allowed)
        cache.accept(allowed, identity, lifetime: nil, now: start)
        #expect(cache.seen(allowed, now: start) == .fresh(identity))
        #expect(cache.seen(key, now: start) == .ask)
        #expect(TokenKey("token", expiry: .refused) == key)
        #expect(TokenKey("tokeN", expiry: .refused) != key)
    }

    @Test(
        "the service user's token is replaced before its end, dropped when refused, and wrong passwords are not hurried"
    )
    func session() {
        var session = ServiceSession()
        #expect(session.current(now: start) == nil)
        let hour = KeystoneClient.ServiceToken(text: Secret("one"), lifetime: .seconds(3600))
        session.made(hour, asked: start)
        #expect(session.current(now: start + .seconds(3539)) == hour)
        #expect(session.current(now: start + .seconds(3540)) == nil)
        let short = KeystoneClient.ServiceToken(text: Secret("two"), lifetime: .seconds(10))
        session.made(short, asked: start)
        session.drop(hour)
        #expect(session.current(now: start + .seconds(7)) == short)
        #expect(session.current(now: start + .seconds(8)) == nil)
        session.drop(short)
        #expect(session.current(now: start) == nil)
        session.refused(IdentityError(.unavailable, "wrong"), now: start)
        #expect(session.refusal(now: start + .seconds(2.9))?.message == "wrong")
        #expect(session.refusal(now: start + .seconds(3)) == nil)
        session.made(hour, asked: start)
        #expect(session.refusal(now: start) == nil)
    }

    @Test("while Keystone is away one question at a time goes out; its own pause silences all, for so long")
    func availability() {
        var availability = KeystoneAvailability()
        func admits(_ seconds: Double) -> Bool { availability.admitsProbe(now: start + .seconds(seconds)) }
        func fails(_ retryAfter: Duration?) -> Bool { availability.failed(retryAfter: retryAfter, now: start) }
        #expect([availability.admitQuestion(), availability.admitQuestion()] == [.normal, .normal])
        #expect([fails(nil), fails(nil)] == [true, false])
        #expect([admits(0.9), admits(1), admits(1)] == [false, true, false])
        #expect([availability.admitQuestion(), availability.admitQuestion()] == [.trial, .refused])
        #expect(!admits(5))
        availability.endQuestion(.normal)
        #expect(availability.admitQuestion() == .refused)
        availability.endQuestion(.trial)
        #expect(admits(5))
        #expect(availability.pause(now: start) == nil)
        _ = fails(.seconds(3600))
        #expect(availability.pause(now: start) == KeystoneAvailability.longestPause)
        #expect(!admits(29))
        let answers = [availability.answered(), availability.answered()]
        #expect(answers == [true, false])
        #expect(availability.pause(now: start) == nil)
        #expect(availability.admitQuestion() == .normal)
    }

    @Test(
        "Keystone's times are read to the microsecond",
        arguments: [
            ("2020-09-13T12:26:40.000000Z", Int64?.some(1_600_000_000_000_000)),
            ("2020-09-13T12:26:40Z", 1_600_000_000_000_000), ("2020-02-29T00:00:00.5Z", 1_582_934_400_500_000),
            ("1970-01-01T00:00:00.000001Z", 1), ("2038-01-19T03:14:08.1234567Z", 2_147_483_648_123_456),
            ("2020-09-13T12:26:40.000000", nil), ("2020-13-13T12:26:40Z", nil), ("2020-09-13 12:26:40Z", nil),
            ("2020-09-13T12:26:40.Z", nil), ("2020-09-13T12:26:40.xZ", nil), ("", nil), ("Z", nil),
        ])
    func times(_ text: String, _ wanted: Int64?) {
        #expect(Timestamp(keystone: text)?.microseconds == wanted)
    }

    @Test("a token's document gives user, project, roles and domains; roles elsewhere than on a project are left out")
    func documents() throws {
        let user: JSONValue = ["id": "u1", "name": "alice", "domain": ["id": "d1", "name": "Users"]]
        var token: [String: JSONValue] = [
            "user": user, "expires_at": "2020-09-13T12:26:40.000000Z", "issued_at": "2020-09-13T11:26:40.000000Z",
            "roles": [["id": "r1", "name": "member"], ["id": "r2", "name": "admin"]],
            "project": ["id": "p1", "name": "db", "domain": ["id": "default", "name": "Default"]],
        ]
        func read() -> KeystoneTokenDocument? {
            KeystoneTokenDocument((["token": .object(token)] as JSONValue).serialized)
        }
        let document = try #require(read())
        #expect(document.identity.expires - document.issued == .seconds(3600))
        #expect(document.identity.roles == ["member", "admin"] && document.identity.isAdmin)
        #expect(document.identity.userDomainID == "d1" && document.identity.projectDomainID == "default")
        token["project"] = nil
        let system = try #require(read())
        #expect(system.identity.roles == [] && !system.identity.isAdmin && system.identity.projectID == "")
        token["user"] = ["name": "alice"]
        #expect(read() == nil)
        #expect(KeystoneTokenDocument(Array("<html>".utf8)) == nil)
    }

    @Test(
        "an address is taken with and without version and slash",
        arguments: [
            ("http://h:5000", "http://h:5000/v3"), ("http://h:5000/v3/", "http://h:5000/v3"),
            ("https://h/identity//", "https://h/identity/v3"),
        ])
    func addresses(_ url: String, _ wanted: String) {
        #expect(KeystoneConfiguration(url: url, password: Secret("p")).versionedURL == wanted)
    }

    @Test("an address that is none is refused at once")
    func noAddress() {
        #expect {
            try KeystoneClient(KeystoneConfiguration(url: "keystone:5000", password: Secret("p")))
        } throws: { ($0 as? IdentityError)?.code == .badRequest }
    }

    @Test("those who ask for the same thing meanwhile get what the first one got, errors too")
    func flights() async throws {
        let flight = SingleFlight<String, Int>()
        let (gate, opener) = AsyncStream.makeStream(of: Void.self)
        let fetches = Mutex(0)
        async let leader = flight.run("a") { () async throws(IdentityError) -> Int in
            fetches.withLock { $0 += 1 }
            for await _ in gate {}
            return 7
        }
        while fetches.withLock({ $0 }) == 0 { await Task.yield() }
        let others = (0..<20).map { _ in
            Task { try await flight.run("a") { () async throws(IdentityError) -> Int in 8 } }
        }
        #expect(try await flight.run("b") { () async throws(IdentityError) -> Int in 9 } == 9)
        while flight.waiting("a") < 20 { await Task.yield() }
        opener.finish()
        #expect(try await leader == 7)
        for other in others { #expect(try await other.value == 7) }
        await #expect(throws: IdentityError.self) {
            try await flight.run("a") { () async throws(IdentityError) -> Int in throw .unauthorized }
        }
        #expect(try await flight.run("a") { () async throws(IdentityError) -> Int in 10 } == 10)
    }
}

extension ValidationCache {
    /// What it would decide.
    fileprivate func seen(_ key: TokenKey, now: ContinuousClock.Instant) -> Decision {
        var copy = self
        return copy.decide(key, now: now)
    }
}
