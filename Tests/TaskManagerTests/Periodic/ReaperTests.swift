// SPDX-License-Identifier: Apache-2.0

import Model
import StateStore
import TaskManager
import Testing

@Suite("Reaper")
struct ReaperTests {
    @Test("a transition without an operation is ended, a delete is taken up again, and a live one is left alone")
    func sweeps() async throws {
        let fixture = try EngineFixture()
        try await fixture.instance("building", task: .building)
        try await fixture.instance("rebooting", task: .rebooting)
        try await fixture.instance("deleting", task: .deleting)
        try await fixture.instance("live", task: .building, flow: .createInstance)
        await Reaper(services: fixture.services, logger: fixture.logger).sweep()
        #expect(try await fixture.instance("building")?.task == .buildingErrorServer)
        #expect(try await fixture.instance("rebooting")?.task == InstanceTask.none)
        #expect(try await fixture.instance("live")?.task == .building)
        let rows = try await fixture.store.read { try $0.journal.live(resourceID: "deleting") }
        #expect(rows.map(\.flow) == ["delete_instance"])
        await Reaper(services: fixture.services, logger: fixture.logger).sweep()
        let again = try await fixture.store.read { try $0.journal.live(resourceID: "deleting") }
        #expect(again.count == 1, "a second sweep adds nothing")
    }
}
