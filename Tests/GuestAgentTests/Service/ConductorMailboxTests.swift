// SPDX-License-Identifier: Apache-2.0

import Calls
import Messaging
import Model
import TestSupport
import Testing

@testable import GuestAgent

@Suite struct ConductorMailboxTests {
    @Test("while the bus is away only the newest heartbeat waits, and reports wait in order")
    func waits() async throws {
        try await withTemporaryDirectory { root in
            let socket = root + "/bus.sock"
            let logger = InstanceFixture.quiet
            let bus = LocalHubBus(
                path: socket, name: "guest", logger: logger, options: .init(patience: .milliseconds(50)))
            let mailbox = ConductorMailbox(instanceID: "i", conductor: ConductorClient(bus), logger: logger)
            await mailbox.heartbeat(.building, volumeUsedBytes: nil)
            for number in 1...3 {
                let report = BackupReport(instanceID: "i", backupID: "\(number)", state: .failed, sent: nil)
                await mailbox.post(.backup(report))
            }
            await mailbox.heartbeat(.healthy, volumeUsedBytes: 5)

            let hub = LocalHub(path: socket, logger: logger)
            try hub.start()
            let conductor = RecordingConductor()
            let conductorBus = LocalHubBus(path: socket, name: "conductor", logger: logger)
            try await conductorBus.serve(
                topic: ConductorVerb.topic, server: "c", endpoint: ConductorDispatcher(conductor))
            #expect(try await eventually { await conductor.heartbeats.last?.status == .healthy })
            #expect(try await eventually { await Set(conductor.backups.map(\.backupID)) == ["1", "2", "3"] })
            #expect(await conductor.heartbeats.count <= 2)
            await mailbox.close(deadline: .after(.seconds(1)))
            await bus.close()
            await conductorBus.close()
            await hub.stop()
        }
    }
}
