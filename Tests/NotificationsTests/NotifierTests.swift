// SPDX-License-Identifier: Apache-2.0

import Logging
import Messaging
import Model
import Notifications
import StateStore
import Testing

@Suite("Notifier")
struct NotifierTests {
    @Test("off tells nothing, and leaves nothing in the state store")
    func off() async throws {
        try await Fixture.withStore { store in
            let message = Fixture().message(1)
            try await store.write(.relaxed) { try Notifier.off.record([message], $0) }
            Notifier.off.committed([message])
            Notifier.off.emit(message)
            try await Notifier.off.send(message)
            #expect(!Notifier.off.isOn)
            #expect(try await store.read { try $0.pluginValues.count(pluginID: "notifications") } == 0)
        }
    }

    @Test("log is one line a notification")
    func log() async throws {
        let lines = LogLines()
        let notifier = Notifier.make(
            NotificationConfiguration(driver: .log, host: "h"), bus: UnusedBus(), logger: lines.logger)
        notifier.committed([notifier.start(Fixture.operation(.backupDelete, ["backup_id": "b-1"]), by: .api)])
        await notifier.finish(within: .seconds(10))
        #expect(lines.lines.count == 1)
        let line = try #require(lines.lines.first)
        #expect(line.contains("dbaas.backup_delete.start"))
        #expect(line.contains("backup_id"))
        #expect(line.hasPrefix("notice notification"))
    }

    @Test("while the bus is away notifications wait, then come in order", .timeLimit(.minutes(1)))
    func waits() async {
        let fixture = Fixture()
        fixture.driver.failure = RecordingDriver.busAway
        let messages = (0..<5).map(fixture.message)
        for message in messages { fixture.notifier.emit(message) }
        #expect(await eventually { fixture.driver.attempts >= 2 })
        #expect(fixture.driver.sent.isEmpty)
        fixture.driver.failure = nil
        await fixture.notifier.finish(within: .seconds(10))
        #expect(fixture.driver.sent == messages)
    }

    @Test("no more than the limit wait; what comes on top is dropped with two warnings", .timeLimit(.minutes(1)))
    func isBounded() async {
        let fixture = Fixture { $0.bufferLimit = 3 }
        fixture.driver.failure = RecordingDriver.busAway
        let messages = (0..<10).map(fixture.message)
        let started = ContinuousClock.now
        for message in messages { fixture.notifier.emit(message) }
        #expect(started.duration(to: .now) < .seconds(1), "nobody waits")
        fixture.driver.failure = nil
        await fixture.notifier.finish(within: .seconds(10))
        #expect(fixture.driver.sent == Array(messages.prefix(3)))
        let warnings = fixture.log.lines.filter { $0.hasPrefix("warning") }
        #expect(warnings.count == 2)
        #expect(warnings.last?.contains("7") == true)
    }

    @Test("one that can never be sent does not hold up the others", .timeLimit(.minutes(1)))
    func poison() async {
        let fixture = Fixture()
        fixture.driver.failure = MessagingError(.badMessage, "too large")
        fixture.notifier.emit(fixture.message(1))
        await fixture.notifier.finish(within: .seconds(10))
        fixture.driver.failure = nil
        fixture.notifier.emit(fixture.message(2))
        await fixture.notifier.finish(within: .seconds(10))
        #expect(fixture.driver.sent.count == 1)
        #expect(fixture.log.lines.contains { $0.hasPrefix("error") })
    }
}
