// SPDX-License-Identifier: Apache-2.0

package import Model
package import StateStore

/// A flow that starts an instance's engine anew, while its task is REBOOTING.
package protocol EngineStartFlow: Flow {}

extension EngineStartFlow {
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
