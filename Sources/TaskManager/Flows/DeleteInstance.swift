// SPDX-License-Identifier: Apache-2.0

import Calls
import Compute
import Logging
import Messaging
package import Model
package import StateStore

/// Removes an instance: the engine's clean stop, then everything that the ledger holds for it.
package struct DeleteInstanceFlow: Flow {
    package static let name = FlowName.deleteInstance

    package init() {}

    /// A delete is never given up: what cannot be removed now is tried again until it can.
    package var maximumAttempts: Int? { nil }

    package var steps: [FlowStep] {
        [
            FlowStep("stop", deadline: .seconds(90), run: Self.stop),
            FlowStep("server", deadline: .seconds(120), run: Self.deleteServer),
            FlowStep("bus", deadline: GuestBusSteps.deadline) { try await GuestBusSteps.remove($0) },
            FlowStep("volume", deadline: .seconds(120), run: Self.deleteVolume),
            FlowStep("network", deadline: .seconds(60), run: Self.release),
        ]
    }

    package func finish(_ run: FlowRun, _ transaction: any StateTransaction, now: Timestamp) throws {
        let id = run.record.resourceID
        try transaction.backups.failRunning(instanceID: id, now: now)
        try transaction.faults.clear(instanceID: id)
        let instance = try transaction.instances.find(id)
        if let instance {
            try transaction.backupStrategies.remove(projectID: instance.projectID, instanceID: id)
        }
        try transaction.instances.markDeleted(id, now: now)
        if let clusterID = instance?.membership?.clusterID {
            try transaction.clusters.finishDeletion(clusterID, now: now)
        }
    }

    package func fail(
        _ run: FlowRun, step: FlowStep, message: String, _ transaction: any StateTransaction, now: Timestamp
    ) throws {
        try transaction.faults.save(
            FaultRecord(
                instanceID: run.record.resourceID, message: String(message.prefix(255)), details: nil, created: now
            )
        )
    }

    // MARK: Steps

    /// Asks the guest for a clean stop; one that cannot be asked is ended by the next step.
    private static func stop(_ run: FlowRun) async throws {
        let id = try run.inputText("instance_id")
        guard await run.services.compute.serverStatus(id) == .active else { return }
        do {
            _ = try await run.services.guests.call(id, .stopDatabase, context: run.context)
        } catch {
            run.logger.info("the guest did not stop the engine", metadata: ["error": "\(error.message)"])
        }
    }

    private static func deleteServer(_ run: FlowRun) async throws {
        let id = try run.inputText("instance_id")
        try await run.services.compute.deleteServer(id)
        try await strike(run, effect: .boot)
        let clock = run.services.clock
        try await run.services.store.write(.relaxed) { transaction in
            let address = try transaction.instances.find(id)?.address
            try transaction.instances.setServer(
                id, serverID: nil, status: .shutdown, address: address, now: clock.now
            )
        }
    }

    private static func deleteVolume(_ run: FlowRun) async throws {
        try await run.services.compute.deleteVolume(run.inputText("instance_id"))
        try await strike(run, effect: .createVolume)
    }

    private static func release(_ run: FlowRun) async throws {
        try await run.services.compute.release(run.inputText("instance_id"))
        try await strike(run, effect: .allocate)
        try await AccessSteps.strike(run)
    }

    private static func strike(_ run: FlowRun, effect: ComputeEffect) async throws {
        let id = try run.inputText("instance_id")
        let resources = run.services.compute.resources(for: id, effect: effect)
        try await run.services.store.write(.relaxed) { transaction in
            for resource in resources { try transaction.ledger.strike(kind: resource.kind, tag: resource.tag) }
        }
    }
}
