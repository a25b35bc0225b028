// SPDX-License-Identifier: Apache-2.0

import Calls
import Compute
package import Model
package import StateStore

/// Gives an instance another flavor: limits and the engine's configuration, with a stop and a start between. When that fails,
/// the instance goes on with the flavor that it had.
package struct ResizeFlavorFlow: Flow {
    package static let name = FlowName.resizeFlavor

    package init() {}

    package var steps: [FlowStep] {
        [
            FlowStep("stop", deadline: EngineSteps.deadline, run: EngineSteps.stop),
            FlowStep("server", deadline: .seconds(120)) { run in
                try await EngineSteps.replaceAgent(run, try await Self.subject(run, "new_flavor_id"))
            },
            FlowStep("configuration", deadline: EngineSteps.deadline) { run in
                try await EngineSteps.configure(run, try await Self.subject(run, "new_flavor_id"))
            },
            FlowStep("start", deadline: EngineSteps.deadline, run: EngineSteps.start),
            FlowStep("report", deadline: .seconds(120), run: EngineReport.wait),
        ]
    }

    package func finish(_ run: FlowRun, _ transaction: any StateTransaction, now: Timestamp) throws {
        let id = run.record.resourceID
        if var instance = try transaction.instances.find(id) {
            instance.flavorID = try run.inputText("new_flavor_id")
            _ = try transaction.instances.save(instance, now: now)
        }
        try EngineSteps.end(run, from: [.resizing], transaction, now: now)
    }

    package func undo(_ run: FlowRun, step: FlowStep) async throws {
        if step.name != "stop" {
            let before = try await Self.subject(run, "old_flavor_id")
            // A start that failed may still go on; less memory than the engine has in use would not be taken.
            try? await EngineSteps.stop(run)
            try await EngineSteps.replaceAgent(run, before)
            try await EngineSteps.configure(run, before)
        }
        try await EngineSteps.start(run)
        try await EngineReport.wait(run)
    }

    package func fail(
        _ run: FlowRun, step: FlowStep, message: String, _ transaction: any StateTransaction, now: Timestamp
    ) throws {
        let fault = "The flavor could not be changed to \(try run.inputText("new_flavor_id")): \(message)"
        try EngineSteps.end(run, from: [.resizing], fault: fault, transaction, now: now)
    }

    /// The instance as if it had the flavor that `key` of the input names.
    private static func subject(_ run: FlowRun, _ key: String) async throws -> InstanceSubject {
        var instance = try await run.instance()
        instance.flavorID = try run.inputText(key)
        return try await InstanceSubject.load(instance, services: run.services)
    }
}
