// SPDX-License-Identifier: Apache-2.0

import Calls
import Compute
package import Model
import PluginHost
package import StateStore

/// Moves an instance to another version of a plugin: the pin, then an agent that maps the new version. The engine runs on.
package struct MigratePluginFlow: Flow {
    package static let name = FlowName.migratePlugin

    /// How long the new agent may take to say that the engine is as it was.
    private static let patience: Duration = .seconds(120)

    /// How long after its start a new agent may say that the engine does not run before it is believed.
    private static let grace: Duration = .seconds(6)

    package init() {}

    package var steps: [FlowStep] {
        [
            FlowStep("pin", deadline: .seconds(30), run: Self.pin),
            FlowStep("agent", deadline: .seconds(240), run: Self.replaceAgent),
        ]
    }

    package func finish(_ run: FlowRun, _ transaction: any StateTransaction, now: Timestamp) throws {}

    /// The version before, whatever the new one did.
    package func undo(_ run: FlowRun, step: FlowStep) async throws {
        try await Self.write(try Self.before(run), run)
        let subject = try await InstanceSubject.load(run)
        guard subject.instance.serverStatus == .active else { return }
        try await Self.boot(subject, run)
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

    private static func replaceAgent(_ run: FlowRun) async throws {
        let subject = try await InstanceSubject.load(run)
        // Without a server there is no agent; a server that comes back later is made from the row.
        guard subject.instance.serverStatus == .active else { return }
        let wasRunning = subject.instance.service.isDatastoreRunning
        let began = run.services.clock.now
        try await boot(subject, run)
        let (store, id) = (run.services.store, subject.instance.id)
        _ = try await run.services.changes.wait(for: id, deadline: .after(patience)) { () -> Bool? in
            let (instance, fault) = try await store.read { transaction in
                (try transaction.instances.find(id), try transaction.faults.find(instanceID: id))
            }
            guard let instance else { throw FlowError("Instance \(id) does not exist any more.") }
            guard instance.serviceUpdated > began else { return nil }
            if instance.service == .failedToSpawn {
                throw FlowError(fault?.message ?? "The guest could not go on with the datastore.")
            }
            if !wasRunning || instance.service.isDatastoreRunning { return true }
            guard run.services.clock.now > began + grace else { return nil }
            let reason = fault.flatMap { $0.updated > began ? ": \($0.message)" : nil } ?? ""
            throw FlowError("the new agent found the database '\(instance.service.text)'\(reason)")
        }
    }

    private static func boot(_ subject: InstanceSubject, _ run: FlowRun) async throws {
        let requirements = try await subject.requirements(run)
        try await run.services.compute.replaceAgent(
            BootRequest(
                instanceID: subject.instance.id, flavor: subject.flavor,
                guestConfiguration: try subject.guestConfiguration(run, requirements: requirements)))
    }
}
