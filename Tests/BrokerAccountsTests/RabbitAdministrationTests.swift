// SPDX-License-Identifier: Apache-2.0

import Model
import TestSupport
import Testing

@testable import BrokerAccounts

private struct FixedBytes: RandomSource {
    let bytes: [UInt8]
    func bytes(_ count: Int) -> [UInt8] { bytes }
}

@Suite("RabbitAdministration, Serial", .serialized)
struct RabbitAdministrationTests {
    @Test("passwords are hashed as the broker's own documentation does it")
    func hash() throws {
        // RabbitMQ, "Password Hashing": salt 90 8D C6 0A, password test12.
        let salt = FixedBytes(bytes: [0x90, 0x8D, 0xC6, 0x0A])
        let hash = try RabbitAdministration.hash(Secret("test12"), random: salt)
        #expect(hash == "kI3GCqW5JLMJa4iX1lo7X4D6XbYqlLgxIs30+P6tENUV2POR")
    }

    @Test("a password follows from id and passphrase, and from nothing else")
    func password() throws {
        let one = try GuestAccount(instanceID: "a", passphrase: Secret("p"))
        #expect(try one == GuestAccount(instanceID: "a", passphrase: Secret("p")))
        #expect(one.user == "trove-guest-a" && one.password.revealed.count == 64)
        #expect(try one.password != GuestAccount(instanceID: "b", passphrase: Secret("p")).password)
        #expect(try one.password != GuestAccount(instanceID: "a", passphrase: Secret("q")).password)
        #expect(throws: BrokerAccountError.self) { try GuestAccount(instanceID: "a", passphrase: Secret("")) }
        #expect(!"\(one)".contains(one.password.revealed))
    }

    @Test("accounts are made, listed and removed as often as one likes; a new password takes the old one's place")
    func again() async throws {
        let broker = try BrokerFixture()
        let id = "11111111-0000-4000-8000-000000000001"
        let account = GuestAccount(instanceID: id, password: Secret("old password"))
        for _ in 0..<2 { try await broker.administration.create(account) }
        #expect(try await broker.administration.instances().contains(id))
        _ = try broker.session(account)
        let fresh = GuestAccount(instanceID: id, password: Secret("new password"))
        try await broker.administration.create(fresh)
        _ = try broker.session(fresh)
        #expect(throws: BrokerSession.Refused.self) { try broker.session(account) }
        for _ in 0..<2 { try await broker.administration.remove(instanceID: id) }
        #expect(try await !broker.administration.instances().contains(id))
    }

    @Test("with TLS the broker's certificate must come from the authority that is named")
    func secure() async throws {
        let nodes = try Nodes.shared([.rabbitmq], tls: true)
        var configuration = try BrokerFixture.configuration(nodes)
        #expect(configuration.url.hasPrefix("https://"))
        configuration.caFile = try nodes.text("ca_file")
        let trusting = try RabbitAdministration(configuration, logger: BrokerFixture.quiet)
        #expect(try await trusting.instances().isEmpty)
        configuration.caFile = nil
        let careful = try RabbitAdministration(configuration, logger: BrokerFixture.quiet)
        await #expect(throws: BrokerAccountError.self) { try await careful.instances() }
    }

    @Test("a wrong administrator, host or address is told without its password")
    func wrong() async throws {
        let nodes = try Nodes.shared([.rabbitmq])
        var configuration = try BrokerFixture.configuration(nodes)
        configuration.password = Secret("hunter2")
        let stranger = try RabbitAdministration(configuration, logger: BrokerFixture.quiet)
        let refused = await #expect(throws: BrokerAccountError.self) { try await stranger.instances() }
        #expect(refused?.code == .refused && refused?.message.contains("hunter2") == false)
        configuration = try BrokerFixture.configuration(nodes)
        configuration.virtualHost = "no/such host"
        let lost = try RabbitAdministration(configuration, logger: BrokerFixture.quiet)
        let unknown = await #expect(throws: BrokerAccountError.self) { try await lost.instances() }
        #expect(unknown?.code == .missing)
        for url in ["", "ftp://127.0.0.1", "http://u:hunter2@127.0.0.1:1", "http://127.0.0.1/api"] {
            configuration.url = url
            let error = #expect(throws: BrokerAccountError.self) {
                try RabbitAdministration(configuration, logger: BrokerFixture.quiet)
            }
            #expect(error?.code == .unusable && error?.message.contains("hunter2") == false)
        }
        configuration.url = "http://127.0.0.1:1"
        let away = try RabbitAdministration(configuration, logger: BrokerFixture.quiet)
        let unreachable = await #expect(throws: BrokerAccountError.self) { try await away.remove(instanceID: "x") }
        #expect(unreachable?.code == .unavailable && unreachable?.isRetryable == true)
    }
}
