// SPDX-License-Identifier: Apache-2.0

import Compute
package import Model
package import StateStore

/// Makes an instance's server anew around its volume, as an administrator asks for it: control groups, sockets, the agent and
/// its configuration, and the engine's. Address, data and the engine's own secrets stay.
package struct RebuildInstanceFlow: Flow {
    package static let name = FlowName.rebuildInstance

    package init() {}

    package var steps: [FlowStep] {
        [
            FlowStep("stop", deadline: .seconds(210), run: EngineSteps.stopIfPossible),
            FlowStep("server", deadline: .seconds(120), ledger: { try Self.entries($0) }, run: Self.rebuild),
            FlowStep("configuration", deadline: EngineSteps.deadline) { run in
                try await EngineSteps.configure(run, try await InstanceSubject.load(run))
            },
            FlowStep("start", deadline: EngineSteps.deadline, run: EngineSteps.start),
            FlowStep("report", deadline: .seconds(120), run: EngineReport.wait),
        ]
    }

    package func finish(_ run: FlowRun, _ transaction: any StateTransaction, now: Timestamp) throws {
        try EngineSteps.end(run, from: [.building], transaction, now: now)
    }

    package func fail(
        _ run: FlowRun, step: FlowStep, message: String, _ transaction: any StateTransaction, now: Timestamp
    ) throws {
        try EngineSteps.end(
            run, from: [.building], to: .buildingErrorServer, fault: "The instance could not be rebuilt: \(message)",
            transaction, now: now)
    }

    // MARK: Steps

    private static func entries(_ run: FlowRun) throws -> [LedgerEntry] {
        let id = try run.inputText("instance_id")
        let resources = run.services.compute.resources(for: id, effect: .boot)
        return run.ledgerEntries(resources.map { ($0.kind, $0.tag) }, owner: id)
    }

    private static func rebuild(_ run: FlowRun) async throws {
        let subject = try await InstanceSubject.load(run)
        try await run.services.compute.rebuildServer(try await EngineSteps.boot(run, subject))
        let (instance, clock) = (subject.instance, run.services.clock)
        try await run.services.store.write(.relaxed) { transaction in
            try transaction.instances.setServer(
                instance.id, serverID: instance.serverID, status: .active, address: instance.address, now: clock.now)
        }
    }
}
