// SPDX-License-Identifier: Apache-2.0

import Calls
import Compute
import Logging
import Messaging
import Model
import PluginHost
import StateStore

/// What flows ask of an instance's engine through its agent. All of it may be repeated.
enum EngineSteps {
    /// How long a broker that is away is waited for.
    static let busPatience = Duration.seconds(3600)
    /// Of a step that does one of these.
    static let deadline = busPatience + .seconds(600)

    /// Starts the engine, one that runs anew.
    static func start(_ run: FlowRun) async throws {
        let id = try run.inputText("instance_id")
        try await BusPatience.run(run, for: busPatience) {
            try await run.services.guests.restart(id, context: run.context)
        }
    }

    /// Stops the engine; it stays stopped until `start`.
    static func stop(_ run: FlowRun) async throws {
        let id = try run.inputText("instance_id")
        try await BusPatience.run(run, for: busPatience) {
            try await run.services.guests.stopDatabase(id, context: run.context)
        }
    }

    /// Stops the engine of an instance that may well be stuck: an agent that does not answer is not waited for, and the next
    /// step ends everything.
    static func stopIfPossible(_ run: FlowRun) async throws {
        let id = try run.inputText("instance_id")
        guard await run.services.compute.serverStatus(id) == .active else { return }
        do {
            try await run.services.guests.ping(id, context: run.context)
            try await run.services.guests.stopDatabase(id, context: run.context)
        } catch {
            run.logger.info("the guest did not stop the engine", metadata: ["error": "\(error.message)"])
        }
    }

    /// Gives the guest the configuration that the instance's size and configuration group make, for every later start.
    ///
    /// A datastore whose configuration cannot be changed makes it by itself, out of the size that its instance document has.
    ///
    /// - Parameter limit: How long a broker that is away is waited for.
    static func configure(
        _ run: FlowRun, _ subject: InstanceSubject, waiting limit: Duration = busPatience
    ) async throws {
        let contents = try await contents(run, subject)
        let (guests, id, context) = (run.services.guests, subject.instance.id, run.context)
        do {
            _ = try await BusPatience.run(run, for: limit) {
                try await guests.applyConfiguration(id, values: [:], contents: contents, context: context)
            }
        } catch let error as MessagingError {
            guard error.failure?.className == "DatastoreOperationNotSupported" else { throw error }
            run.logger.info("the datastore takes no configuration", metadata: ["error": "\(error.message)"])
        }
    }

    static func contents(_ run: FlowRun, _ subject: InstanceSubject) async throws -> String {
        do {
            return try await subject.configuration(run, overrides: subject.overrides(run))
        } catch let error as PluginError where error.code == .invalidArgument {
            throw FlowError(error.message)
        }
    }

    /// Replaces the agent by one with `subject`'s plugins, versions and limits.
    static func replaceAgent(_ run: FlowRun, _ subject: InstanceSubject) async throws {
        try await run.services.compute.replaceAgent(try await boot(run, subject))
    }

    static func boot(_ run: FlowRun, _ subject: InstanceSubject) async throws -> BootRequest {
        BootRequest(
            instanceID: subject.instance.id, flavor: subject.flavor,
            guestConfiguration: try subject.guestConfiguration(
                run, requirements: try await subject.requirements(run)))
    }

    /// Ends the task for the tenant: with a fault, or without any.
    static func end(
        _ run: FlowRun, from tasks: [InstanceTask], to task: InstanceTask = .none, fault: String? = nil,
        _ transaction: any StateTransaction, now: Timestamp
    ) throws {
        let id = run.record.resourceID
        guard let instance = try transaction.instances.find(id), tasks.contains(instance.task) else { return }
        try transaction.instances.setTask(id, to: task, expecting: tasks, now: now)
        guard let fault else { return try transaction.faults.clear(instanceID: id) }
        try transaction.faults.save(
            FaultRecord(instanceID: id, message: String(fault.prefix(255)), details: nil, created: now))
    }
}
