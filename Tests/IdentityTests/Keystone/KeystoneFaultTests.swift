// SPDX-License-Identifier: Apache-2.0

import Model
import Synchronization
import TestSupport
import Testing

@testable import Identity

extension KeystoneTests {
    /// What Keystone does to those who depend on it.
    @Suite("Keystone: faults", .serialized)
    struct Faults {
        private func check(_ keystone: KeystoneIdentity, _ token: String) async -> Result<
            AuthenticatedIdentity, IdentityError
        > {
            await outcome { () throws(IdentityError) in try await keystone.validate(token) }
        }

        @Test("while it is down known tokens work until their span is over; it is used again as soon as it is back")
        func killed() async throws {
            let fixture = try KeystoneFixture()
            defer { try? fixture.nodes.heal() }
            let keystone = try fixture.identity()
            let (known, other) = (try await fixture.token("demo"), try await fixture.token("other"))
            _ = try await keystone.validate(known)
            try fixture.nodes.kill(.keystone)
            #expect(await check(keystone, known).isSuccess)
            #expect(await check(keystone, other).code == .unavailable)
            fixture.uptime.advance(by: .seconds(200))
            for _ in 0..<5 { #expect(await check(keystone, known).isSuccess) }
            #expect(keystone.counts.bridged == 5)
            #expect(await eventually(10) { !keystone.isTrying } != nil)
            fixture.uptime.advance(by: .seconds(100))
            #expect(await check(keystone, known).code == .unavailable)
            #expect(fixture.log.lines.allSatisfy { $0.hasPrefix("warning tokens cannot be validated") })
            let warnings = fixture.log.lines.count
            #expect((1...3).contains(warnings))

            try fixture.nodes.start(.keystone)
            let seconds = await eventually(5) { await check(keystone, known).isSuccess }
            #expect(try #require(seconds) < 5)
            #expect(await check(keystone, other).isSuccess)
            #expect(Array(fixture.log.lines.dropFirst(warnings)) == ["notice tokens are validated again"])
            #expect(!fixture.log.lines.joined().contains(known))
        }

        @Test("a token revoked before it went down works meanwhile, and is refused after it is back")
        func revokedMeanwhile() async throws {
            let fixture = try KeystoneFixture()
            defer { try? fixture.nodes.heal() }
            let keystone = try fixture.identity()
            let token = try await fixture.token("demo")
            _ = try await keystone.validate(token)
            try await fixture.revoke(token)
            try fixture.nodes.kill(.keystone)
            fixture.uptime.advance(by: .seconds(20))
            #expect(await check(keystone, token).isSuccess)
            try fixture.nodes.start(.keystone)
            let seconds = await eventually(5) {
                fixture.uptime.advance(by: .milliseconds(20))
                return await check(keystone, token).code == .unauthorized
            }
            #expect(try #require(seconds) < 5)
        }

        @Test("while it hangs every call ends in time, and known tokens are not held up", .timeLimit(.minutes(2)))
        func frozen() async throws {
            let fixture = try KeystoneFixture()
            defer { try? fixture.nodes.heal() }
            let keystone = try fixture.identity { $0.timeout = .seconds(3) }
            let root = try await fixture.token("demo")
            var unknown: [String] = []
            for _ in 0..<30 { unknown.append(try await fixture.sibling(of: root)) }
            _ = try await keystone.validate(root)
            try fixture.nodes.freeze(.keystone)
            let start = ContinuousClock.now
            let checks = unknown.map { token in Task { await check(keystone, token) } }
            for task in checks {
                let code = await task.value.code
                #expect(code == .unavailable || code == .overloaded)
            }
            #expect(ContinuousClock.now - start < .seconds(6), "thirty wait no longer than one")

            fixture.uptime.advance(by: .seconds(20))
            let bridged = ContinuousClock.now
            for _ in 0..<1000 { #expect(await check(keystone, root).isSuccess) }
            #expect(await check(keystone, unknown[0]).code == .unavailable)
            #expect(ContinuousClock.now - bridged < .seconds(2), "one asks for all")

            try fixture.nodes.thaw(.keystone)
            // It has its backlog first.
            _ = try await fixture.token("other")
            let seconds = await eventually(5) { await check(keystone, unknown[0]).isSuccess }
            #expect(try #require(seconds) < 5)
        }

        @Test("when it fails by itself (500), that is no word about the token")
        func broken() async throws {
            let fixture = try KeystoneFixture()
            let keystone = try fixture.identity()
            let (known, other) = (try await fixture.token("demo"), try await fixture.token("other"))
            _ = try await keystone.validate(known)
            try fixture.sql("ALTER TABLE assignment RENAME TO mislaid")
            defer { try? fixture.sql("ALTER TABLE mislaid RENAME TO assignment") }
            let answer = await check(keystone, other)
            guard case .failure(let error) = answer else {
                Issue.record("a token was let in")
                return
            }
            #expect(error.code == .unavailable && error.message == "Keystone answers 500.")
            fixture.uptime.advance(by: .seconds(20))
            #expect(await check(keystone, known).isSuccess)
            try fixture.sql("ALTER TABLE mislaid RENAME TO assignment")
            // The question about the known token may still be under way.
            #expect(await eventually(5) { await check(keystone, other).isSuccess } != nil)
        }

        @Test("it is left alone for as long as it asks (429), and its time is passed on")
        func limited() async throws {
            let fixture = try KeystoneFixture()
            let relay = try KeystoneRelay(to: fixture.nodes.text("keystone", "url"))
            let keystone = try fixture.identity { $0.url = relay.url }
            let (known, other) = (try await fixture.token("demo"), try await fixture.token("other"))
            _ = try await keystone.validate(known)
            fixture.uptime.advance(by: .seconds(20))
            try await relay.answerNext(with: 429, retryAfter: 7)
            #expect(await check(keystone, known).isSuccess)
            let asked = keystone.counts.asked
            for _ in 0..<3 {
                let answer = await check(keystone, other)
                guard case .failure(let error) = answer else {
                    Issue.record("a token was let in")
                    return
                }
                #expect(error.code == .unavailable && error.retryAfter == 7)
                #expect(await check(keystone, known).isSuccess)
            }
            #expect(keystone.counts.asked == asked)
            fixture.uptime.advance(by: .seconds(7))
            #expect(await check(keystone, other).isSuccess)
        }

        @Test("an answer that is no token's, or breaks off, is no word about the token", arguments: [200, 302, 503, 0])
        func nonsense(_ status: Int) async throws {
            let fixture = try KeystoneFixture()
            let relay = try KeystoneRelay(to: fixture.nodes.text("keystone", "url"))
            let keystone = try fixture.identity { $0.url = relay.url }
            try await keystone.checkService()
            let token = try await fixture.token("demo")
            // A connection that breaks off is tried twice, and once more by libcurl when it was a kept one.
            try await relay.answerNext(with: status, retryAfter: nil, times: status == 0 ? 3 : 1)
            #expect(await check(keystone, token).code == .unavailable)
            #expect(await check(keystone, token).isSuccess)
        }

        @Test("one connection that breaks off is asked again")
        func dropped() async throws {
            let fixture = try KeystoneFixture()
            let relay = try KeystoneRelay(to: fixture.nodes.text("keystone", "url"))
            let keystone = try fixture.identity { $0.url = relay.url }
            try await keystone.checkService()
            let token = try await fixture.token("demo")
            try await relay.answerNext(with: 0, retryAfter: nil)
            #expect(await check(keystone, token).isSuccess)
        }
    }
}

extension KeystoneIdentity {
    /// Whether somebody finds out just now if Keystone is back.
    fileprivate var isTrying: Bool {
        state.withLock { state in
            let admission = state.availability.admitQuestion()
            state.availability.endQuestion(admission)
            return admission == .refused
        }
    }
}
