// SPDX-License-Identifier: Apache-2.0

import Calls
import Messaging
import Model
import PluginHost
import StateStore

/// What the flows on configuration groups have in common: one step, in which the guest is given what the rows say by then.
///
/// The guest keeps the whole configuration for every later start, so a repeat after a crash ends in the same state.
enum ConfigurationSteps {
    static let steps = [FlowStep("apply", deadline: .seconds(600), run: apply)]

    /// How long a broker that is away is waited for.
    private static let busPatience = Duration.seconds(60)
    private static let scratchKey = "restart_required"
    private static let faultPrefix = "The configuration could not be applied: "

    /// Tasks that an instance may have while its configuration changes. Another one belongs to another operation.
    private static let tasks: [InstanceTask] = [.updating, .none, .restartRequired]

    private static func apply(_ run: FlowRun) async throws {
        let subject = try await InstanceSubject.load(run)
        // One that goes, or that was never made, has no use for it.
        guard tasks.contains(subject.instance.task) else { return }
        let values = try await subject.overrides(run)
        let gone = (run.input["names"]?.arrayValue ?? []).compactMap(\.stringValue)
        let names = try await send(values, without: gone, subject, run)
        run.remember(scratchKey, .array(names.map(JSONValue.string)))
    }

    /// Gives the guest back what it had before an operation that failed.
    static func applyPrevious(_ run: FlowRun) async throws {
        let subject = try await InstanceSubject.load(run)
        let (before, tried) = (run.input["previous_id"]?.stringValue, run.input["configuration_id"]?.stringValue)
        let (values, others) = try await run.services.store.read { transaction in
            (
                try before.map { try transaction.configurations.values($0) } ?? [:],
                try tried.map { try transaction.configurations.values($0) } ?? [:]
            )
        }
        _ = try await send(values, without: Array(others.keys), subject, run)
    }

    /// - Returns: Parameters that take effect with the next start.
    private static func send(
        _ values: [String: JSONValue], without gone: [String], _ subject: InstanceSubject, _ run: FlowRun
    ) async throws -> [String] {
        var changes = values
        for name in gone where changes[name] == nil { changes[name] = .null }
        let contents: String
        do {
            contents = try await subject.configuration(run, overrides: values)
        } catch let error as PluginError where error.code == .invalidArgument {
            throw FlowError(error.message)
        }
        let (guests, id, context) = (run.services.guests, subject.instance.id, run.context)
        do {
            return try await BusPatience.run(run, for: busPatience) { [changes] in
                try await guests.applyConfiguration(id, values: changes, contents: contents, context: context)
            }
        } catch let error as MessagingError {
            guard error.code != .timedOut else { throw FlowError("Timeout trying to connect to the Guest Agent.") }
            throw FlowError(error.failure?.message ?? error.message)
        }
    }

    // MARK: Ends

    /// What waits for a restart waits for it until there is one, whatever is changed meanwhile.
    static func finish(_ run: FlowRun, _ transaction: any StateTransaction, now: Timestamp) throws {
        let isWaiting = !(run.recall(scratchKey)?.arrayValue ?? []).isEmpty
        try end(run, isRestartRequired: isWaiting, transaction, now: now)
        let id = run.record.resourceID
        guard let fault = try transaction.faults.find(instanceID: id), fault.message.hasPrefix(faultPrefix) else {
            return
        }
        try transaction.faults.clear(instanceID: id)
    }

    /// Lets the row name the group that it named before, unless it names yet another one by now.
    static func takeBack(_ run: FlowRun, _ transaction: any StateTransaction, now: Timestamp) throws {
        let id = run.record.resourceID
        guard let instance = try transaction.instances.find(id), instance.task != .deleting,
            instance.configurationID == run.input["configuration_id"]?.stringValue
        else { return }
        var previous = run.input["previous_id"]?.stringValue
        // It may have been deleted since: nobody had it any more.
        if let id = previous, try transaction.configurations.find(id) == nil { previous = nil }
        try transaction.configurations.setConfiguration(previous, ofInstance: id, now: now)
    }

    static func fail(
        _ run: FlowRun, _ message: String, _ transaction: any StateTransaction, now: Timestamp
    ) throws {
        let id = run.record.resourceID
        guard let instance = try transaction.instances.find(id), tasks.contains(instance.task) else { return }
        try end(run, isRestartRequired: false, transaction, now: now)
        try transaction.faults.save(
            FaultRecord(
                instanceID: id, message: String((faultPrefix + message).prefix(255)), details: nil, created: now))
    }

    private static func end(
        _ run: FlowRun, isRestartRequired: Bool, _ transaction: any StateTransaction, now: Timestamp
    ) throws {
        let id = run.record.resourceID
        guard let instance = try transaction.instances.find(id), tasks.contains(instance.task) else { return }
        let isWaiting =
            isRestartRequired || instance.task == .restartRequired
            || run.input["was_restart_required"]?.boolValue ?? false
        let task: InstanceTask = isWaiting ? .restartRequired : .none
        guard task != instance.task else { return }
        try transaction.instances.setTask(id, to: task, expecting: [instance.task], now: now)
    }
}
