// SPDX-License-Identifier: Apache-2.0

import Messaging
import Model
import Notifications
import StateStore
import TestSupport
import Testing

@Suite("Outbox")
struct OutboxTests {
    private struct Refused: Error {}

    private let fixture = Fixture(usesOutbox: true) { $0.outboxLimit = 5 }

    private func sender(_ store: any StateStore) -> OutboxSender {
        OutboxSender(notifier: fixture.notifier, store: store, logger: fixture.log.logger)
    }

    private func record(_ messages: [NotificationMessage], _ store: any StateStore) async throws {
        let notifier = fixture.notifier
        try await store.write(.relaxed) { try notifier.record(messages, $0) }
        notifier.committed(messages)
    }

    private func waiting(_ store: any StateStore) async throws -> Int {
        try await store.read { try $0.pluginValues.count(pluginID: "notifications") }
    }

    @Test(
        "what a transaction tells is sent when it commits, in order, and then gone",
        arguments: Fixture.StoreKind.allCases)
    func sends(_ kind: Fixture.StoreKind) async throws {
        try await Fixture.withStore(kind) { store in
            let first = [fixture.message(1), fixture.message(2)]
            try await record(first, store)
            fixture.clock.advance(by: .milliseconds(1))
            try await record([fixture.message(3)], store)
            #expect(fixture.driver.sent.isEmpty)
            #expect(fixture.notifier.commitCount == 2)
            try await sender(store).sendAll()
            #expect(fixture.driver.sent.map(\.payload["instance_id"]) == ["i-1", "i-2", "i-3"])
            #expect(fixture.driver.sent.prefix(2) == first[...])
            #expect(try await waiting(store) == 0)
            try await sender(store).sendAll()
            #expect(fixture.driver.sent.count == 3)
        }
    }

    @Test("a transaction that is rolled back tells nothing")
    func rollsBack() async throws {
        try await Fixture.withStore { store in
            let (notifier, message) = (fixture.notifier, fixture.message(1))
            await #expect(throws: Refused.self) {
                try await store.write(.durable) { transaction in
                    try notifier.record([message], transaction)
                    throw Refused()
                }
            }
            try await sender(store).sendAll()
            #expect(fixture.driver.sent.isEmpty)
        }
    }

    @Test("while the bus is away they wait in the state store, for whichever process sends later")
    func survives() async throws {
        try await Fixture.withStore { store in
            try await record([fixture.message(1)], store)
            fixture.driver.failure = RecordingDriver.busAway
            await #expect(throws: MessagingError.self) { try await sender(store).sendAll() }
            #expect(try await waiting(store) == 1)
            let other = Fixture(usesOutbox: true)
            try await OutboxSender(notifier: other.notifier, store: store, logger: other.log.logger).sendAll()
            #expect(other.driver.sent.count == 1)
            #expect(try await waiting(store) == 0)
        }
    }

    @Test("of more than the limit the oldest are dropped, counted in a warning")
    func isBounded() async throws {
        try await Fixture.withStore { store in
            for number in 0..<8 {
                fixture.clock.advance(by: .milliseconds(1))
                try await record([fixture.message(number)], store)
            }
            fixture.driver.failure = RecordingDriver.busAway
            await #expect(throws: MessagingError.self) { try await sender(store).sendAll() }
            #expect(fixture.log.lines.contains { $0.hasPrefix("warning") && $0.contains("3") })
            fixture.driver.failure = nil
            try await sender(store).sendAll()
            #expect(fixture.driver.sent.map(\.payload["instance_id"]) == ["i-3", "i-4", "i-5", "i-6", "i-7"])
        }
    }

    @Test("what cannot be read does not hold up the others")
    func poison() async throws {
        try await Fixture.withStore { store in
            try await store.write(.relaxed) { transaction in
                _ = try transaction.pluginValues.put(pluginID: "notifications", key: "out/0", value: "broken")
            }
            try await record([fixture.message(1)], store)
            try await sender(store).sendAll()
            #expect(fixture.driver.sent.count == 1)
            #expect(try await waiting(store) == 0)
        }
    }

    @Test("whoever is no longer elected stops between batches")
    func stops() async throws {
        try await Fixture.withStore { store in
            try await record([fixture.message(1)], store)
            try await sender(store).sendAll { false }
            #expect(fixture.driver.sent.isEmpty)
        }
    }
}
