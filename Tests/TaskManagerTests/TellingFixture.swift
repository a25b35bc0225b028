// SPDX-License-Identifier: Apache-2.0

import Messaging
import Model
import Notifications
import StateStore
import Synchronization
import TaskManager

/// Keeps what it is given; fails from the message on that a test says.
final class NotificationRecorder: NotificationDriver {
    private let held = Mutex<(sent: [NotificationMessage], room: Int)>(([], .max))

    var sent: [NotificationMessage] { held.withLock { $0.sent } }

    /// How many more it takes.
    func leaveRoom(for count: Int) { held.withLock { $0.room = count } }

    func send(_ message: NotificationMessage) async throws(MessagingError) {
        let isTaken = held.withLock { state -> Bool in
            guard state.room > 0 else { return false }
            state.room -= 1
            state.sent.append(message)
            return true
        }
        guard isTaken else { throw MessagingError(.unavailable, "the bus is away") }
    }
}

/// An engine that tells.
struct TellingFixture {
    let fixture: EngineFixture
    let recorder = NotificationRecorder()
    let services: FlowServices

    init(usesOutbox: Bool = false, _ change: (inout NotificationConfiguration) -> Void = { _ in }) throws {
        fixture = try EngineFixture()
        var configuration = NotificationConfiguration(driver: .messaging, host: "tm-1")
        change(&configuration)
        var services = fixture.services
        services.notifier = Notifier(
            configuration, driver: recorder, usesOutbox: usesOutbox, logger: fixture.logger, clock: fixture.clock)
        self.services = services
    }

    /// What was told, once nothing waits.
    func told() async -> [NotificationMessage] {
        await services.notifier.finish(within: .seconds(10))
        return recorder.sent
    }

    func runner(_ flows: [any Flow]) -> FlowRunner {
        FlowRunner(services: services, logger: fixture.logger, flows: flows)
    }
}
