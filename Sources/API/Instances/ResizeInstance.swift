// SPDX-License-Identifier: Apache-2.0

import Model
import Notifications
import PluginHost
import StateStore

/// `{"resize": {"volume": {"size": GiB}}}` and `{"resize": {"flavorRef": id or href}}` → 202, empty. Source: REST contract
/// §3.5, §3.6.
///
/// Checks, quota, task and operation are one transaction. What an instance grows to counts from then on; its row has the new
/// size once the operation has ended, and the old one if it fails.
enum ResizeInstance {
    static let schema = Schema.object(["volume": .volume, "flavorRef": .flavorReference])
    /// What is accepted: a bare size is taken for a volume of that size, as one of the public clients sends it.
    static let acceptedSchema = Schema.object([
        "volume": .oneOf([.volume, .integer(minimum: 1)]), "flavorRef": .flavorReference,
    ])

    static func perform(_ id: String, _ argument: JSONValue, _ call: APICall) async throws {
        var argument = argument
        if var members = argument.objectValue, let size = members["volume"], size.intValue != nil {
            members["volume"] = ["size": size]
            argument = .object(members)
        }
        try Schema.object(["resize": schema]).validate(["resize": argument])
        if let volume = argument["volume"] {
            guard argument["flavorRef"] == nil else {
                throw APIFault(400, "The action 'resize' takes 'volume' or 'flavorRef', not both at once.")
            }
            guard let size = volume["size"].flatMap({ $0.intValue ?? Int($0.stringValue ?? "") }) else {
                throw APIFault(400, "Volume 'size' is out of range.")
            }
            try await resizeVolume(id, to: size, call)
        } else if let reference = argument["flavorRef"] {
            try await resizeFlavor(id, to: reference, call)
        } else {
            throw APIFault(400, "The action 'resize' needs 'volume' or 'flavorRef'.")
        }
        await call.wakeTaskManager()
    }

    // MARK: Volume

    private static func resizeVolume(_ id: String, to size: Int, _ call: APICall) async throws {
        let traits: [String: JSONValue] = ["instance_id": .string(id), "new_size": .int(Int64(size))]
        try await call.announcing(.instanceResizeVolume, traits) { announcement in
            try await call.services.store.write(.durable) { transaction in
                let summary = try call.instance(id, rule: "instance:resize_volume", transaction)
                let instance = summary.instance
                try APICall.refuseMember(summary)
                try APICall.requireAvailable(summary)
                try check(size, instance, call.configuration)
                var wanted = QuotaUsage()
                wanted.volumesGiB = size - instance.volumeGiB
                try begin(
                    .resizeVolume, instance, wanted,
                    [
                        "instance_id": .string(id), "new_size": .int(Int64(size)),
                        "old_size": .int(Int64(instance.volumeGiB)),
                        "volume_gib_growth": .int(Int64(wanted.volumesGiB)),
                    ], call, announcement, transaction)
            }
        }
    }

    private static func check(
        _ size: Int, _ instance: InstanceRecord, _ configuration: APIConfiguration
    ) throws(APIFault) {
        guard configuration.hasVolumeSupport else {
            throw APIFault(.volumeNotSupported, "Volume support is not enabled.")
        }
        guard instance.volumeGiB > 0 else { throw APIFault(400, "Instance \(instance.id) has no volume.") }
        guard size > instance.volumeGiB else {
            throw APIFault(
                400,
                "The new volume 'size' must be larger than the current volume size of '\(instance.volumeGiB)'.")
        }
        let maximum = configuration.maximumVolumeGiB
        guard size <= maximum else {
            throw APIFault(
                .volumeQuotaExceeded,
                "Volume 'size' cannot exceed maximum of \(maximum) GB, \(size) cannot be accepted.")
        }
    }

    // MARK: Flavor

    private static func resizeFlavor(_ id: String, to reference: JSONValue, _ call: APICall) async throws {
        let text = reference.stringValue ?? reference.intValue.map(String.init) ?? ""
        let flavorID = text.split(separator: "/").last.map(String.init) ?? text
        try await checkWithPolicy(id, flavorID, call)
        let traits: [String: JSONValue] = ["instance_id": .string(id), "new_flavor_id": .string(flavorID)]
        try await call.announcing(.instanceResizeFlavor, traits) { announcement in
            try await call.services.store.write(.durable) { transaction in
                let instance = try resizable(id, flavorID, call, transaction)
                let memory = call.configuration.flavorRAM
                var wanted = QuotaUsage()
                wanted.ramMiB = (memory[flavorID] ?? 0) - (memory[instance.flavorID] ?? 0)
                try begin(
                    .resizeFlavor, instance, wanted,
                    [
                        "instance_id": .string(id), "new_flavor_id": .string(flavorID),
                        "old_flavor_id": .string(instance.flavorID), "ram_mib_growth": .int(Int64(wanted.ramMiB)),
                    ], call, announcement, transaction)
            }
        }
    }

    /// The instance, if it may be given the flavor now. Throws 404, 403, 422, 400.
    private static func resizable(
        _ id: String, _ flavorID: String, _ call: APICall, _ transaction: any StateTransaction
    ) throws -> InstanceRecord {
        let summary = try call.instance(id, rule: "instance:resize_flavor", transaction)
        try APICall.refuseMember(summary)
        try APICall.requireAvailable(summary)
        guard summary.instance.flavorID != flavorID else {
            throw APIFault(400, "The new flavor id must be different than the current flavor id of '\(flavorID)'.")
        }
        guard call.configuration.flavors.contains(where: { $0.id == flavorID }) else {
            throw APIFault(.flavorNotFound, "Resource \(flavorID) cannot be found.")
        }
        return summary.instance
    }

    /// Asks the datastore whether it can do with the flavor, with the values that the instance's configuration group has.
    private static func checkWithPolicy(_ id: String, _ flavorID: String, _ call: APICall) async throws {
        let (instance, version, overrides) = try await call.services.store.read { transaction in
            let instance = try resizable(id, flavorID, call, transaction)
            return (
                instance, try transaction.datastores.version(instance.datastoreVersionID),
                try instance.configurationID.map { try transaction.configurations.values($0) } ?? [:]
            )
        }
        guard let version, let flavor = call.configuration.flavors.first(where: { $0.id == flavorID }) else {
            throw APIFault(.modelNotFound, "DBDatastoreVersion Not Found")
        }
        try await DatastoreSize.requireMemory(flavor, instance.plugins, version, call)
        var resized = instance
        resized.flavorID = flavorID
        _ = try await RenderedConfiguration.text(resized, version, overrides: overrides, call)
    }

    // MARK: Both

    private static func begin(
        _ flow: FlowName, _ instance: InstanceRecord, _ wanted: QuotaUsage, _ input: JSONValue, _ call: APICall,
        _ announcement: Announcement, _ transaction: any StateTransaction
    ) throws {
        try QuotaLimits.admit(
            wanted, projectID: instance.projectID, configuration: call.configuration, transaction)
        try transaction.instances.setTask(instance.id, to: .resizing, expecting: [instance.task], now: call.now)
        try announcement.insert(
            call.journal(
                flow, resourceID: instance.id, projectID: instance.projectID, host: instance.computeHost, input),
            transaction)
    }
}

/// What a datastore needs of a flavor.
enum DatastoreSize {
    /// Throws 400 for a flavor with less memory than the version needs.
    ///
    /// - Parameter pinned: The instance's plugins.
    static func requireMemory(
        _ flavor: Flavor, _ pinned: JSONValue, _ version: DatastoreVersionRecord, _ call: APICall
    ) async throws {
        guard let reference = (pinned["datastore"] ?? version.plugins["datastore"])?.stringValue else {
            throw APIFault(503, "Datastore version '\(version.name)' names no plugin; an operator must set one.")
        }
        let requirements = try await call.services.plugins.policy(
            reference, .requirements, ["version": .string(version.name)], call.policyOptions)
        guard let minimum = requirements["memory_mb_minimum"]?.intValue, flavor.ramMiB < minimum else { return }
        throw APIFault(
            400,
            "Flavor \(flavor.id) is not supported for datastore version \(version.id): it needs \(minimum) MB of"
                + " memory, the flavor has \(flavor.ramMiB).")
    }
}
