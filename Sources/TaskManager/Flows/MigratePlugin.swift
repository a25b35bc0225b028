// SPDX-License-Identifier: Apache-2.0

import Calls
import Compute
package import Model
import PluginHost
package import StateStore

/// Moves an instance to another version of a plugin: the pin, then an agent that maps the new version. The engine runs on.
package struct MigratePluginFlow: Flow {
    package static let name = FlowName.migratePlugin

    package init() {}

    package var steps: [FlowStep] {
        [
            FlowStep("pin", deadline: .seconds(30), run: Self.pin),
            FlowStep("agent", deadline: AgentReplacement.deadline, run: AgentReplacement.run),
        ]
    }

    package func finish(_ run: FlowRun, _ transaction: any StateTransaction, now: Timestamp) throws {}

    /// The version before, whatever the new one did.
    package func undo(_ run: FlowRun, step: FlowStep) async throws {
        try await Self.write(try Self.before(run), run)
        let subject = try await InstanceSubject.load(run)
        guard subject.instance.serverStatus == .active else { return }
        try await EngineSteps.replaceAgent(run, subject)
    }

    package func fail(
        _ run: FlowRun, step: FlowStep, message: String, _ transaction: any StateTransaction, now: Timestamp
    ) throws {
        let id = run.record.resourceID
        guard try transaction.instances.find(id) != nil else { return }
        let text = "The plugin could not be changed to \(run.input["plugin"]?.stringValue ?? "?"): \(message)"
        try transaction.faults.save(
            FaultRecord(instanceID: id, message: String(text.prefix(255)), details: nil, created: now))
    }

    // MARK: Steps

    private static func pin(_ run: FlowRun) async throws {
        let wanted = PluginReference(try run.inputText("plugin"))
        // From the order and not from the row, which may have the new pin already when the step is repeated.
        let before = try before(run)
        let pins = PluginReference.map(before) { PluginReference($0).id == wanted.id ? wanted.description : $0 }
        guard pins != before else {
            throw FlowError("Instance \(try run.inputText("instance_id")) does not use the plugin \(wanted.id).")
        }
        try await write(pins, run)
    }

    /// The instance's pins when the migration was ordered.
    private static func before(_ run: FlowRun) throws -> JSONValue {
        guard let before = run.input["before"], before.objectValue != nil else {
            throw FlowError("The order to migrate does not say which plugins the instance had.")
        }
        return before
    }

    private static func write(_ pins: JSONValue, _ run: FlowRun) async throws {
        let (id, clock) = (try run.inputText("instance_id"), run.services.clock)
        try await run.services.store.write(.durable) { transaction in
            guard var instance = try transaction.instances.find(id) else { return }
            instance.plugins = pins
            _ = try transaction.instances.save(instance, now: clock.now)
        }
    }
}
