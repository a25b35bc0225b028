// SPDX-License-Identifier: Apache-2.0

import Calls
import Compute
import Messaging
package import Model
package import StateStore

/// Brings an instance to another version of its datastore; its row names the new one already.
///
/// Until the data are touched, and afterwards when the datastore says that they can go back, a failure brings the version
/// before back. Otherwise the instance is in ERROR, with its data as the engine left them; it can be upgraded again.
package struct UpgradeInstanceFlow: Flow {
    package static let name = FlowName.upgradeInstance
    private static let undoneKey = "undone"

    package init() {}

    package var steps: [FlowStep] {
        [
            FlowStep("prepare", deadline: EngineSteps.deadline) { try await Self.tell($0, .preUpgrade) },
            FlowStep("stop", deadline: EngineSteps.deadline, run: EngineSteps.stop),
            FlowStep("agent", deadline: .seconds(120)) { run in
                try await EngineSteps.replaceAgent(run, try await InstanceSubject.load(run))
            },
            FlowStep("upgrade", deadline: EngineSteps.deadline) { try await Self.tell($0, .upgrade) },
            FlowStep("start", deadline: EngineSteps.deadline, run: EngineSteps.start),
            FlowStep("complete", deadline: EngineSteps.deadline) { try await Self.tell($0, .postUpgrade) },
            FlowStep("report", deadline: .seconds(120), run: EngineReport.wait),
        ]
    }

    package func finish(_ run: FlowRun, _ transaction: any StateTransaction, now: Timestamp) throws {
        try EngineSteps.end(run, from: [.upgrading], transaction, now: now)
    }

    package func undo(_ run: FlowRun, step: FlowStep) async throws {
        let isUntouched = ["prepare", "stop", "agent"].contains(step.name)
        guard isUntouched || run.input["reversible"]?.boolValue ?? false else { return }
        if step.name != "prepare" {
            let before = try await Self.before(run)
            try? await EngineSteps.stop(run)
            try await EngineSteps.replaceAgent(run, before)
            if !isUntouched { try await EngineSteps.configure(run, before) }
            try await EngineSteps.start(run)
            try await EngineReport.wait(run)
        }
        run.remember(Self.undoneKey, true)
    }

    package func fail(
        _ run: FlowRun, step: FlowStep, message: String, _ transaction: any StateTransaction, now: Timestamp
    ) throws {
        let id = run.record.resourceID
        guard var instance = try transaction.instances.find(id) else { return }
        let name = try transaction.datastores.version(instance.datastoreVersionID)?.name ?? "another version"
        let isUndone = run.recall(Self.undoneKey)?.boolValue ?? false
        var task = InstanceTask.buildingErrorServer
        if isUndone {
            instance.datastoreVersionID = try run.inputText("previous_version_id")
            instance.plugins = run.input["previous_plugins"] ?? [:]
            _ = try transaction.instances.save(instance, now: now)
            task = run.input["previous_task"]?.intValue.flatMap(InstanceTask.init(rawValue:)) ?? .none
        }
        let end = isUndone ? "; the version before is in use" : ""
        let room = max(0, 200 - name.count)
        let fault = "The instance could not be upgraded to version \(name)\(end): \(message.prefix(room))"
        try EngineSteps.end(run, from: [.upgrading], to: task, fault: fault, transaction, now: now)
    }

    // MARK: Steps

    private static func tell(_ run: FlowRun, _ moment: GuestVerb) async throws {
        let (subject, before) = (try await InstanceSubject.load(run), try await before(run))
        let contents = try await EngineSteps.contents(run, subject)
        let (guests, context) = (run.services.guests, run.context)
        do {
            try await BusPatience.run(run, for: EngineSteps.busPatience) {
                try await guests.upgrade(
                    subject.instance.id, moment, from: before.version.name, to: subject.version.name,
                    contents: contents, context: context)
            }
        } catch let error as MessagingError {
            guard let failure = error.failure else { throw error }
            throw FlowError(failure.message)
        }
    }

    /// The instance as it was when the upgrade was asked for.
    private static func before(_ run: FlowRun) async throws -> InstanceSubject {
        var instance = try await run.instance()
        instance.datastoreVersionID = try run.inputText("previous_version_id")
        instance.plugins = run.input["previous_plugins"] ?? [:]
        return try await InstanceSubject.load(instance, services: run.services)
    }
}
