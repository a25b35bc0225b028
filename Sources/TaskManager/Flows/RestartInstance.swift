// SPDX-License-Identifier: Apache-2.0

import Calls
package import Model
package import StateStore

/// Restarts the engine of an instance.
package struct RestartInstanceFlow: Flow {
    package static let name = FlowName.restartInstance

    package init() {}

    package var steps: [FlowStep] {
        [
            FlowStep("restart", deadline: .seconds(600)) { run in
                let id = try run.inputText("instance_id")
                _ = try await run.services.guests.call(id, .restart, context: run.context)
            }
        ]
    }

    package func finish(_ run: FlowRun, _ transaction: any StateTransaction, now: Timestamp) throws {
        let id = run.record.resourceID
        try transaction.instances.setTask(id, to: .none, expecting: [.rebooting], now: now)
        try transaction.faults.clear(instanceID: id)
    }

    /// The task ends either way; whether the engine runs is what its guest reports.
    package func fail(
        _ run: FlowRun, step: FlowStep, message: String, _ transaction: any StateTransaction, now: Timestamp
    ) throws {
        let id = run.record.resourceID
        try transaction.instances.setTask(id, to: .none, expecting: [.rebooting], now: now)
        try transaction.faults.save(
            FaultRecord(instanceID: id, message: String(message.prefix(255)), details: nil, created: now)
        )
    }
}
