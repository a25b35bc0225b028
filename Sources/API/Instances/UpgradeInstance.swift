// SPDX-License-Identifier: Apache-2.0

import Model
import Notifications
import PluginHost
import StateStore

/// `PUT`, `PATCH {"instance": {"datastore_version": id or name}}`: brings an instance to another version of its datastore.
/// Source: REST contract §3.4.
///
/// In any state but one that an operation works on. Row, task and operation are committed together; an upgrade that fails before
/// the data are touched takes the row back.
struct UpgradeInstance: Sendable {
    let instanceID: String
    /// Id or name.
    let version: String
    /// A new name of the instance, which goes along.
    let name: String?

    func perform(_ call: APICall) async throws {
        let (instance, old, new, overrides) = try await call.services.store.read { transaction in
            let (instance, old, new) = try find(call, transaction)
            return (
                instance, old, new,
                try instance.configurationID.map { try transaction.configurations.values($0) } ?? [:]
            )
        }
        guard let flavor = call.configuration.flavors.first(where: { $0.id == instance.flavorID }) else {
            throw APIFault(.flavorNotFound, "Resource \(instance.flavorID) cannot be found.")
        }
        let pinned = try await DatastorePlugins.pinned(new, call)
        try await DatastoreSize.requireMemory(flavor, pinned, new, call)
        let isReversible = try await plan(from: old, to: new, pinned, call)
        var upgraded = instance
        upgraded.plugins = pinned
        _ = try await RenderedConfiguration.text(upgraded, new, overrides: overrides, call)
        try await begin(pinned, from: old, isReversible: isReversible, call)
        await call.wakeTaskManager()
    }

    /// Throws 404, 403, 400 for a version that is not to be had, 422 while an operation works on the instance.
    private func find(
        _ call: APICall, _ transaction: any StateTransaction
    ) throws -> (InstanceRecord, old: DatastoreVersionRecord, new: DatastoreVersionRecord) {
        let instance = try call.instance(instanceID, rule: "instance:update", transaction).instance
        guard let old = try transaction.datastores.version(instance.datastoreVersionID),
            let datastore = try transaction.datastores.find(idOrName: old.datastoreID)
        else { throw APIFault(.modelNotFound, "DBDatastoreVersion Not Found") }
        let new = try DatastoreLookup.version(version, of: datastore, transaction)
        guard new.isActive || new.id == old.id else {
            throw APIFault(.datastoreVersionInactive, "Datastore version '\(new.name)' is not active.")
        }
        try call.requireIdle(instance, transaction)
        return (instance, old, new)
    }

    /// Asks the new version's plugin.
    ///
    /// - Returns: Whether the data can go back.
    /// - Throws: 422 with the plugin's sentence when there is no such upgrade.
    private func plan(
        from old: DatastoreVersionRecord, to new: DatastoreVersionRecord, _ pinned: JSONValue, _ call: APICall
    ) async throws -> Bool {
        do {
            let plan = try await call.services.plugins.policy(
                pinned["datastore"]?.stringValue ?? "", .planUpgrade,
                ["from": .string(old.name), "to": .string(new.name)], call.policyOptions)
            return plan["reversible"]?.boolValue ?? false
        } catch {
            guard error.code == .unsupported else { throw error }
            guard old.name == new.name else {
                throw APIFault(
                    422,
                    "There is no upgrade from version \(old.name) to version \(new.name): the plugin of the datastore plans"
                        + " none.")
            }
            return true
        }
    }

    private func begin(
        _ pinned: JSONValue, from old: DatastoreVersionRecord, isReversible: Bool, _ call: APICall
    ) async throws {
        let traits: [String: JSONValue] = [
            "instance_id": .string(instanceID), "datastore_version_id": .string(version),
        ]
        try await call.announcing(.instanceUpgrade, traits) { announcement in
            try await call.services.store.write(.durable) { transaction in
                var (instance, current, new) = try find(call, transaction)
                // What was planned must be what begins.
                guard current.id == old.id else { throw StateStoreError(.conflict, "the version was changed") }
                let row = call.journal(
                    .upgradeInstance, resourceID: instanceID, projectID: instance.projectID, host: instance.computeHost,
                    [
                        "instance_id": .string(instanceID), "datastore_version_id": .string(new.id),
                        "previous_version_id": .string(instance.datastoreVersionID),
                        "previous_plugins": instance.plugins, "reversible": .bool(isReversible),
                        "previous_task": .int(Int64(instance.task.rawValue)),
                    ])
                instance.datastoreVersionID = new.id
                instance.plugins = pinned
                if let name { instance.name = name }
                instance = try transaction.instances.save(instance, now: call.now)
                try transaction.instances.setTask(instanceID, to: .upgrading, expecting: nil, now: call.now)
                try transaction.instances.setService(instanceID, to: .restarting, heartbeat: call.now)
                try announcement.insert(row, adding: ["datastore_version_id": .string(new.id)], transaction)
            }
        }
    }
}

/// Plugins of a datastore version as an instance gets them.
enum DatastorePlugins {
    /// The version's references with the plugin versions that serve them now, so that an upgrade of a plugin does not
    /// change a running instance. Throws 503 when the datastore's own is not loaded.
    static func pinned(_ version: DatastoreVersionRecord, _ call: APICall) async throws -> JSONValue {
        let loaded = await call.services.plugins.plugins
        guard let reference = version.plugins["datastore"]?.stringValue,
            loaded.contains(where: { $0.isNamed(reference) })
        else {
            throw APIFault(
                503,
                "Datastore version '\(version.name)' needs the plugin '\(version.plugins["datastore"]?.stringValue ?? "")',"
                    + " which is not loaded.")
        }
        return PluginReference.map(version.plugins) { reference in
            loaded.first { $0.isNamed(reference) }?.reference ?? reference
        }
    }
}

extension APICall {
    /// Throws 422 for an instance without a server, and while an operation works on it: two would each end the other's task.
    func requireIdle(_ instance: InstanceRecord, _ transaction: any StateTransaction) throws {
        guard instance.serverID != nil else {
            throw APIFault(.unprocessableEntity, "Instance \(instance.id) is not ready.")
        }
        guard try transaction.journal.live(resourceID: instance.id).isEmpty, instance.task != .deleting else {
            throw APIFault(
                .unprocessableEntity,
                "Instance \(instance.id) is not currently available for an action to be performed"
                    + " (task status was \(instance.task.action)).")
        }
    }
}
