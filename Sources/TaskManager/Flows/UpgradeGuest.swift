// SPDX-License-Identifier: Apache-2.0

package import Model
package import StateStore

/// Gives an instance an agent of the release that its host has. The engine runs on, and its tenant notices nothing.
package struct UpgradeGuestFlow: Flow {
    package static let name = FlowName.upgradeGuest

    package init() {}

    package var steps: [FlowStep] {
        [FlowStep("agent", deadline: AgentReplacement.deadline, run: AgentReplacement.run)]
    }

    package func finish(_ run: FlowRun, _ transaction: any StateTransaction, now: Timestamp) throws {}

    /// The release before is gone from the host, so there is nothing to go back to.
    package func fail(
        _ run: FlowRun, step: FlowStep, message: String, _ transaction: any StateTransaction, now: Timestamp
    ) throws {
        let id = run.record.resourceID
        guard try transaction.instances.find(id) != nil else { return }
        let text = "The guest agent could not be upgraded: \(message)"
        try transaction.faults.save(
            FaultRecord(instanceID: id, message: String(text.prefix(255)), details: nil, created: now))
    }
}
