// SPDX-License-Identifier: Apache-2.0

import Calls
import Compute
import Logging
package import Model
package import StateStore

/// Grows an instance's volume while its engine runs.
package struct ResizeVolumeFlow: Flow {
    package static let name = FlowName.resizeVolume

    package init() {}

    package var steps: [FlowStep] {
        [
            FlowStep("volume", deadline: .seconds(600), run: Self.grow),
            FlowStep("configuration", deadline: .seconds(300), run: Self.configure),
        ]
    }

    package func finish(_ run: FlowRun, _ transaction: any StateTransaction, now: Timestamp) throws {
        let id = run.record.resourceID
        if var instance = try transaction.instances.find(id) {
            instance.volumeGiB = try Self.size(run)
            _ = try transaction.instances.save(instance, now: now)
        }
        try EngineSteps.end(run, from: [.resizing], transaction, now: now)
    }

    /// A volume that grew is never given back: the only step that can fail is the growing.
    package func fail(
        _ run: FlowRun, step: FlowStep, message: String, _ transaction: any StateTransaction, now: Timestamp
    ) throws {
        let fault = "The volume could not be resized to \(try Self.size(run)) GB: \(message)"
        try EngineSteps.end(run, from: [.resizing], fault: fault, transaction, now: now)
    }

    // MARK: Steps

    private static func size(_ run: FlowRun) throws -> Int {
        guard let size = run.input["new_size"]?.intValue else {
            throw FlowError("The journal row \(run.record.id) of flow \(run.record.flow) has no 'new_size'.")
        }
        return size
    }

    private static func grow(_ run: FlowRun) async throws {
        try await run.services.compute.growVolume(try run.inputText("instance_id"), sizeGiB: try size(run))
    }

    /// What depends on the volume's size, such as logs of changes. Without it the engine goes on with less than it could have,
    /// until the next change of its configuration.
    private static func configure(_ run: FlowRun) async throws {
        var subject = try await InstanceSubject.load(run)
        subject.instance.volumeGiB = try size(run)
        do {
            try await EngineSteps.configure(run, subject, waiting: .seconds(30))
        } catch  where !Task.isCancelled {
            run.logger.warning("the engine was not told of its larger volume", metadata: ["error": "\(error)"])
        }
    }
}
