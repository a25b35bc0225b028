// SPDX-License-Identifier: Apache-2.0

import Model
import Notifications
import PluginHost
import StateStore

/// `POST /instances` → 200, the instance with status BUILD. Source: REST contract §3.3.
///
/// Looks up what the request names, asks the datastore's policy, and then writes row, quota check and journal in one
/// durable transaction.
struct CreateInstance {
    private let call: APICall
    private let request: CreateInstanceRequest
    private let version: DatastoreVersionRecord
    private let datastore: DatastoreRecord
    private let flavor: Flavor
    private let group: ConfigurationReference?
    private let overrides: [String: JSONValue]

    @Sendable static func handle(_ call: APICall) async throws -> APIResponse {
        try call.require("instance:create")
        let request = try CreateInstanceRequest(try await call.body(), region: call.configuration.region)
        if let replica = request.replica { try await replica.refuse(call) }
        try await AccessUpdate.requireEnforceable(AccessRules(request.access), call)
        if request.configurationID != nil { try call.require("instance:update") }
        if !request.moduleIDs.isEmpty { try call.require("instance:module_apply") }
        if !request.users.isEmpty { try call.require("instance:extension:user:create") }
        if !request.databases.isEmpty { try call.require("instance:extension:database:create") }
        let create = try await CreateInstance(call, request)
        let volumeGiB = try await create.checkWithPolicy()
        let summary = try await create.commit(volumeGiB: volumeGiB)
        await call.wakeTaskManager()
        return InstanceRoutes.document(summary, .create, call)
    }

    private init(_ call: APICall, _ request: CreateInstanceRequest) async throws {
        self.call = call
        self.request = request
        (datastore, version, group, overrides) = try await call.services.store.read { transaction in
            let (datastore, version) = try Self.lookUp(request, call, transaction)
            guard let id = request.configurationID else { return (datastore, version, nil, [:]) }
            let group = try ConfigurationAssignment.group(id, for: version.id, call, transaction)
            return (
                datastore, version, ConfigurationReference(id: id, name: group.name),
                try transaction.configurations.values(id)
            )
        }
        guard let flavor = call.configuration.flavors.first(where: { $0.id == request.flavorID }) else {
            throw APIFault(.flavorNotFound, "Resource \(request.flavorID) cannot be found.")
        }
        self.flavor = flavor
    }

    /// Without a datastore in the request, a restore takes the backup's own.
    private static func lookUp(
        _ request: CreateInstanceRequest, _ call: APICall, _ transaction: any StateTransaction
    ) throws -> (DatastoreRecord, DatastoreVersionRecord) {
        var (type, version) = (request.datastore, request.datastoreVersion)
        if type == nil, version == nil, let backupID = request.backupID {
            let backup = try call.backup(backupID, rule: "backup:show", transaction)
            (type, version) = (backup.datastoreName, backup.datastoreVersionID)
        }
        return try DatastoreLookup.forCreate(
            type: type, version: version, number: request.datastoreVersionNumber,
            defaultDatastore: call.configuration.defaultDatastore, transaction
        )
    }

    // MARK: - Policy

    /// Asks the datastore's policy; the size of the volume, 0 without one.
    private func checkWithPolicy() async throws -> Int {
        guard let reference = version.plugins["datastore"]?.stringValue else {
            throw APIFault(503, "Datastore version '\(version.name)' names no plugin; an operator must set one.")
        }
        try await requireLoaded(reference)
        let options = CallOptions(
            deadline: .after(call.configuration.policyTimeout), context: call.context, instanceID: nil
        )
        let plugins = call.services.plugins
        let requirements = try await plugins.policy(
            reference, .requirements, ["version": .string(version.name)], options
        )
        let volumeGiB = try volumeSize(requirements)
        if let minimum = requirements["memory_mb_minimum"]?.intValue, flavor.ramMiB < minimum {
            throw APIFault(
                400,
                "Flavor \(flavor.id) is not supported for datastore version \(version.id): it needs \(minimum) MB of"
                    + " memory, the flavor has \(flavor.ramMiB)."
            )
        }
        let question: JSONValue = [
            "version": .string(version.name), "memory_mb": .int(Int64(flavor.ramMiB)),
            "vcpus": .int(Int64(flavor.vcpus)), "volume_gib": .int(Int64(volumeGiB)),
            "databases": .array(request.databases.map(\.json)), "users": .array(request.users.map(\.json)),
            "configuration": .object(overrides),
        ]
        _ = try await plugins.policy(reference, .validateCreate, question, options)
        return volumeGiB
    }

    /// The datastore's plugin must be in use, and none of the version's plugins quarantined.
    private func requireLoaded(_ reference: String) async throws {
        let loaded = await call.services.plugins.plugins
        guard loaded.contains(where: { $0.isNamed(reference) }) else {
            throw APIFault(
                503, "Datastore version '\(version.name)' needs the plugin '\(reference)', which is not loaded."
            )
        }
        for needed in PluginReference.all(in: version.plugins) {
            guard let plugin = loaded.first(where: { $0.isNamed(needed) }), let reason = plugin.quarantine else {
                continue
            }
            throw APIFault(
                503,
                "Datastore version '\(version.name)' needs the plugin '\(plugin.reference)', which is quarantined: \(reason)."
                    + " An operator ends it with 'trove plugin lift \(plugin.id)'.")
        }
    }

    private func volumeSize(_ requirements: JSONValue) throws(APIFault) -> Int {
        if let type = request.volumeType {
            throw APIFault(400, "Volume type '\(type)' is not available: volumes have no types here.")
        }
        guard call.configuration.hasVolumeSupport else {
            guard request.volumeGiB == nil else {
                throw APIFault(.volumeNotSupported, "Volume support is not enabled.")
            }
            return 0
        }
        guard let size = request.volumeGiB else {
            guard requirements["volume"]?["required"]?.boolValue ?? true else { return 0 }
            throw APIFault(400, "Volume size was not specified.")
        }
        let maximum = call.configuration.maximumVolumeGiB
        guard size <= maximum else {
            throw APIFault(
                .volumeQuotaExceeded,
                "Volume 'size' cannot exceed maximum of \(maximum) GB, \(size) cannot be accepted."
            )
        }
        if let minimum = requirements["volume"]?["minimum_gib"]?.intValue, size < minimum {
            throw APIFault(
                400, "Volume 'size' must be at least \(minimum) GB for datastore version '\(version.name)'."
            )
        }
        return size
    }

    // MARK: - Commit

    private func commit(volumeGiB: Int) async throws -> InstanceSummary {
        let id = call.services.random.uuid()
        var wanted = QuotaUsage()
        wanted.instances = 1
        wanted.ramMiB = flavor.ramMiB
        wanted.volumesGiB = volumeGiB
        var record = InstanceRecord(
            id: id, name: request.name, projectID: call.context.projectID, flavorID: flavor.id, volumeGiB: volumeGiB,
            datastoreVersionID: version.id, created: call.now, region: call.configuration.region,
            access: request.access, plugins: try await pinnedPlugins()
        )
        record.configurationID = group?.id
        if group != nil {
            // What the engine would not start with is known before there is anything.
            _ = try await RenderedConfiguration.text(record, version, overrides: overrides, call)
        }
        let input: [String: JSONValue] = [
            "instance_id": .string(id), "databases": .array(request.databases.map(\.json)),
            "users": .array(request.users.map(\.json)), "backup_id": .optional(request.backupID),
        ]
        let journal = call.journal(
            .createInstance, resourceID: id, projectID: call.context.projectID, .object(input))
        try await call.announcing(.instanceCreate, traits(volumeGiB: volumeGiB)) { announcement in
            try await call.services.store.write(.durable) { [self, wanted, record] transaction in
                try checkRestorePoint(volumeGiB: volumeGiB, transaction)
                // Again, so that nobody deletes it meanwhile.
                if let group { _ = try ConfigurationAssignment.group(group.id, for: version.id, call, transaction) }
                try QuotaLimits.admit(
                    wanted, projectID: record.projectID, configuration: call.configuration, transaction
                )
                try transaction.instances.insert(record)
                var journal = journal
                let modules = try modules(of: record, transaction)
                if !modules.isEmpty {
                    journal.input = .object(input.merging(["modules": .array(modules.map(JSONValue.string))]) { $1 })
                }
                try announcement.insert(journal, transaction)
            }
        }
        var summary = InstanceSummary(
            instance: record, datastoreName: datastore.name, datastoreVersionName: version.name,
            datastoreVersionNumber: version.number, backupIsRunning: false, fault: nil
        )
        summary.configuration = group
        return summary
    }

    /// What is told about the request; no password is in it.
    private func traits(volumeGiB: Int) -> [String: JSONValue] {
        var traits: [String: JSONValue] = [
            "name": .string(request.name), "flavor_id": .string(flavor.id), "datastore": .string(datastore.name),
            "datastore_version": .string(version.name), "region_name": .optional(call.configuration.region),
        ]
        if volumeGiB > 0 { traits["volume_size"] = .int(Int64(volumeGiB)) }
        if let backupID = request.backupID {
            traits["backup_id"] = .string(backupID)
            traits["restore_point"] = .string(backupID)
        }
        if !request.databases.isEmpty { traits["databases"] = .array(request.databases.map(\.json)) }
        if !request.users.isEmpty {
            traits["users"] = .array(
                request.users.map { user in
                    .object((user.json.objectValue ?? [:]).filter { $0.key != "password" })
                })
        }
        return traits
    }

    /// The version's references with the plugin versions that serve them now, so that an upgrade of a plugin does not
    /// change a running instance.
    private func pinnedPlugins() async throws -> JSONValue {
        let loaded = await call.services.plugins.plugins
        return PluginReference.map(version.plugins) { reference in
            loaded.first { $0.isNamed(reference) }?.reference ?? reference
        }
    }

    /// Ids of the modules that were asked for and of those that new instances get by themselves, in their order.
    private func modules(of record: InstanceRecord, _ transaction: any StateTransaction) throws -> [String] {
        var modules = try InstanceModuleRoutes.applicable(request.moduleIDs, to: record, call, transaction)
        for module in try transaction.modules.all(projectID: record.projectID)
        where module.isAutoApply || module.isPriorityApply {
            guard !modules.contains(where: { $0.id == module.id }),
                call.configuration.moduleTypes.contains(module.type),
                module.fits(projectID: record.projectID, datastoreID: datastore.id, versionID: version.id)
            else { continue }
            modules.append(module)
        }
        return modules.sorted(by: ModuleRecord.precedes).map(\.id)
    }

    private func checkRestorePoint(volumeGiB: Int, _ transaction: any StateTransaction) throws {
        guard let backupID = request.backupID else { return }
        let backup = try call.backup(backupID, rule: "backup:show", transaction)
        guard backup.state.isUsable else {
            throw APIFault(
                .backupNotComplete,
                "Unable to create instance because backup \(backupID) is not completed. Actual state:"
                    + " \(backup.state.rawValue)."
            )
        }
        // An increment is as large as the backup that it adds to, and more.
        let size = gigabytes(try transaction.backups.chain(of: backup).compactMap(\.sizeBytes).max() ?? 0)
        if volumeGiB > 0, size > Double(volumeGiB) {
            throw APIFault(
                .backupTooLarge,
                "Backup is too large for given flavor or volume. Backup size: \(size) GBs. Available size:"
                    + " \(volumeGiB) GBs."
            )
        }
        guard let origin = try transaction.datastores.version(backup.datastoreVersionID),
            origin.datastoreID == datastore.id
        else {
            throw APIFault(
                400,
                "The datastore from which the backup was taken, \(backup.datastoreName), does not match the"
                    + " destination datastore of \(datastore.name)."
            )
        }
    }
}
