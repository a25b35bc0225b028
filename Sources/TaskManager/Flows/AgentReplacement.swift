// SPDX-License-Identifier: Apache-2.0

import Model
import StateStore

/// The step that replaces an instance's agent by one of its host's release, with the plugins of its row. The engine runs on.
enum AgentReplacement {
    static let deadline = Duration.seconds(240)

    /// How long the new agent may take to say that the engine is as it was.
    private static let patience = Duration.seconds(120)

    /// How long after its start a new agent may say that the engine does not run before it is believed.
    private static let grace = Duration.seconds(6)

    static func run(_ run: FlowRun) async throws {
        let subject = try await InstanceSubject.load(run)
        // Without a server there is no agent; a server that comes back later is made from the row.
        guard subject.instance.serverStatus == .active else { return }
        let wasRunning = subject.instance.service.isDatastoreRunning
        let began = run.services.clock.now
        try await EngineSteps.replaceAgent(run, subject)
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
}
