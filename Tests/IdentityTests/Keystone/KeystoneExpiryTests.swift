// SPDX-License-Identifier: Apache-2.0

import Model
import TestSupport
import Testing

@testable import Identity

extension KeystoneTests {
    /// On a Keystone whose tokens live for eight seconds.
    @Suite("Keystone: expiry", .serialized)
    struct Expiry {
        private static let nodes = Result { try Nodes([.keystone], options: ["--token-seconds", "8"]) }

        private func fixture() async throws -> KeystoneFixture {
            let fixture = try KeystoneFixture(Self.nodes.get())
            _ = try await fixture.token("demo")  // The first question of a process takes the longest.
            return fixture
        }

        private func code(
            _ keystone: KeystoneIdentity, _ token: String, service: String? = nil
        ) async -> IdentityError.Code? {
            await outcome { () throws(IdentityError) in try await keystone.validate(token, serviceToken: service) }.code
        }

        @Test("an expired token is refused, unless a service with the right role passes it on", .timeLimit(.minutes(2)))
        func expired() async throws {
            let fixture = try await fixture()
            // The node makes its tokens by the same clock.
            let keystone = try fixture.identity(isTimeReal: true) { $0.revocationWindow = .seconds(300) }
            let strict = try fixture.identity(isTimeReal: true) { $0.serviceTokenRoles = ["cloud-service"] }
            try await keystone.checkService()
            let old = try await fixture.token("demo")
            #expect(await code(keystone, old) == nil)
            let waited = await eventually(12) { await code(keystone, old) == .unauthorized }
            #expect(waited != nil, "the cache must not outlive the token")

            let caller = try await keystone.validate(old, serviceToken: try await fixture.token("trove"))
            #expect(caller.userName == "demo" && caller.roles.contains("member"))
            #expect(await code(keystone, old) == .unauthorized)
            #expect(await code(strict, old, service: try await fixture.token("trove")) == .unauthorized)
            #expect(await code(keystone, old, service: try await fixture.token("other")) == .unauthorized)
            // A service token that is not good spoils what would be let in alone.
            for bad in ["no-token", old] {
                #expect(await code(keystone, try await fixture.token("other"), service: bad) == .unauthorized)
            }
            let (member, service) = (try await fixture.token("other"), try await fixture.token("trove"))
            #expect(try await keystone.validate(member, serviceToken: service).userName == "other")
        }

        @Test("the service user's token is renewed before it ends, and no call notices")
        func renewed() async throws {
            let fixture = try await fixture()
            let keystone = try fixture.identity(isTimeReal: true) { $0.cache = .zero }
            let start = ContinuousClock.now
            var calls = 0
            while ContinuousClock.now - start < .seconds(10) {
                let token = try await fixture.token("demo")
                #expect(try await keystone.validate(token).userName == "demo")
                calls += 1
            }
            #expect(
                keystone.counts.asked == calls, "none was asked twice, as one with an expired service token would be")
            #expect((2...4).contains(keystone.counts.logins), "\(keystone.counts)")
        }
    }
}
