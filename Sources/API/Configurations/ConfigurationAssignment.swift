// SPDX-License-Identifier: Apache-2.0

import Model
import Notifications
import PluginHost
import StateStore

/// Gives an instance a configuration group, or takes it away. Source: REST contract §3.4.
///
/// Row, task and operation are committed together; the answer comes when the operation has ended. One that fails leaves the
/// instance with what it had.
struct ConfigurationAssignment: Sendable {
    let instanceID: String
    /// nil: none.
    let groupID: String?
    /// A new name of the instance, which goes along.
    let name: String?

    func perform(_ call: APICall) async throws {
        try await checkWithPolicy(call)
        let event: OperationEvent = groupID == nil ? .configurationDetach : .configurationAttach
        var traits: [String: JSONValue] = ["instance_id": .string(instanceID)]
        if let groupID { traits["configuration_id"] = .string(groupID) }
        let operation = try await call.announcing(event, traits) { announcement in
            try await call.services.store.write(.durable) { transaction in
                let operation = try assign(call, announcement, transaction)
                if let name { try transaction.instances.setName(instanceID, to: name, now: call.now) }
                return operation
            }
        }
        guard let operation else { return }
        await call.wakeTaskManager()
        try await call.requireSuccess(of: [operation])
    }

    /// - Returns: The operation's id; nil when there is nothing to do.
    private func assign(
        _ call: APICall, _ announcement: Announcement, _ transaction: any StateTransaction
    ) throws -> String? {
        let summary = try call.instance(instanceID, rule: "instance:update", transaction)
        let instance = summary.instance
        var names: [String] = []
        if let groupID {
            _ = try Self.attachable(groupID, to: instance, call, transaction)
        } else {
            guard let current = instance.configurationID else { return nil }
            try APICall.requireAvailable(summary)
            names = try transaction.configurations.values(current).keys.sorted()
        }
        try transaction.instances.setTask(instanceID, to: .updating, expecting: [instance.task], now: call.now)
        try transaction.configurations.setConfiguration(groupID, ofInstance: instanceID, now: call.now)
        let row = call.journal(
            groupID == nil ? .detachConfiguration : .attachConfiguration, resourceID: instanceID,
            projectID: instance.projectID, host: instance.computeHost,
            [
                "instance_id": .string(instanceID), "configuration_id": .optional(groupID),
                "previous_id": .optional(instance.configurationID), "names": .array(names.map(JSONValue.string)),
                "was_restart_required": .bool(instance.task == .restartRequired),
            ])
        try announcement.insert(row, transaction)
        return row.id
    }

    /// The group, if the instance may be given it now.
    private static func attachable(
        _ groupID: String, to instance: InstanceRecord, _ call: APICall, _ transaction: any StateTransaction
    ) throws -> ConfigurationRecord {
        if let current = instance.configurationID {
            throw APIFault(
                400, "Instance \(instance.id) already has a Configuration Group attached: \(current).")
        }
        guard instance.serverStatus == .active, instance.task == .none else {
            let status = instance.serverStatus == .active ? instance.task.action : instance.serverStatus.rawValue
            throw APIFault(
                400,
                "The operation you have requested cannot be executed because the instance status is currently: \(status)."
            )
        }
        return try group(groupID, for: instance.datastoreVersionID, call, transaction)
    }

    /// The group, if the caller has it and it is for the version. Throws 404, 400.
    static func group(
        _ id: String, for versionID: String, _ call: APICall, _ transaction: any StateTransaction
    ) throws -> ConfigurationRecord {
        guard let group = try transaction.configurations.find(id),
            call.context.isAdmin || group.projectID == call.context.projectID
        else { throw APIFault(.notFound, "Configuration group id: \(id) could not be found.") }
        guard group.datastoreVersionID == versionID else {
            throw APIFault(
                400,
                "Datastore Version on Configuration Group \(group.datastoreVersionID) does not match the Datastore"
                    + " Version on the instance \(versionID).")
        }
        return group
    }

    /// Lets the datastore's policy render the configuration for this instance's size: it knows what would not start.
    private func checkWithPolicy(_ call: APICall) async throws {
        guard let groupID else { return }
        let (instance, values, version) = try await call.services.store.read { transaction in
            let instance = try call.instance(instanceID, rule: "instance:update", transaction).instance
            _ = try Self.attachable(groupID, to: instance, call, transaction)
            return (
                instance, try transaction.configurations.values(groupID),
                try transaction.datastores.version(instance.datastoreVersionID)
            )
        }
        guard let version else { return }
        _ = try await RenderedConfiguration.text(instance, version, overrides: values, call)
    }
}
