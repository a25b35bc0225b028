// SPDX-License-Identifier: Apache-2.0

import Compute
import Model
import PluginHost
import StateStore

/// An instance with what its datastore version and flavor say about it.
struct InstanceSubject: Sendable {
    var instance: InstanceRecord
    var datastore: DatastoreRecord
    var version: DatastoreVersionRecord
    var flavor: Flavor

    static func load(_ run: FlowRun) async throws -> InstanceSubject {
        let instance = try await run.instance()
        return try await load(instance, services: run.services)
    }

    static func load(_ instance: InstanceRecord, services: FlowServices) async throws -> InstanceSubject {
        let found = try await services.store.read { transaction in
            guard let version = try transaction.datastores.version(instance.datastoreVersionID),
                let datastore = try transaction.datastores.find(idOrName: version.datastoreID)
            else { return nil as (DatastoreRecord, DatastoreVersionRecord)? }
            return (datastore, version)
        }
        guard let (datastore, version) = found else {
            throw FlowError("Datastore version \(instance.datastoreVersionID) is not in the catalogue.")
        }
        guard let flavor = services.configuration.flavors.first(where: { $0.id == instance.flavorID }) else {
            throw FlowError("Flavor \(instance.flavorID) is not in the catalogue.")
        }
        return InstanceSubject(instance: instance, datastore: datastore, version: version, flavor: flavor)
    }

    /// Reference of the plugin that has `role` for this instance: pinned at creation, else the version's.
    func plugin(_ role: String) throws -> String {
        if let pinned = instance.plugins[role]?.stringValue ?? version.plugins[role]?.stringValue { return pinned }
        throw FlowError("Datastore version \(version.name) of \(datastore.name) names no plugin for '\(role)'.")
    }

    func options(_ run: FlowRun) -> CallOptions {
        CallOptions(deadline: .after(.seconds(30)), context: run.context, instanceID: instance.id)
    }

    func requirements(_ run: FlowRun) async throws -> EngineRequirements {
        if let known = run.recall("requirements") { return try EngineRequirements(json: known) }
        let answer = try await run.services.plugins.policy(
            plugin("datastore"), .requirements, ["version": .string(version.name)], options(run)
        )
        return try EngineRequirements(json: answer)
    }

    /// Values of the instance's configuration group, empty without one.
    func overrides(_ run: FlowRun) async throws -> [String: JSONValue] {
        guard let id = instance.configurationID else { return [:] }
        return try await run.services.store.read { try $0.configurations.values(id) }
    }

    /// The engine's configuration text for this flavor and volume.
    ///
    /// - Parameter overrides: Values of a configuration group.
    func configuration(_ run: FlowRun, overrides: [String: JSONValue]) async throws -> String {
        let answer = try await run.services.plugins.policy(
            plugin("datastore"), .renderConfiguration,
            [
                "version": .string(version.name), "memory_mb": .int(Int64(flavor.ramMiB)),
                "vcpus": .int(Int64(flavor.vcpus)), "volume_gib": .int(Int64(instance.volumeGiB)),
                "instance_id": .string(instance.id), "overrides": .object(overrides),
            ],
            options(run)
        )
        guard let text = answer["config_contents"]?.stringValue else {
            throw FlowError("The plugin \(try plugin("datastore")) rendered no configuration.")
        }
        return text
    }

    /// What the guest's configuration says besides what the compute driver adds.
    ///
    /// - Throws: When the instance's key in the state store cannot be opened.
    func guestConfiguration(_ run: FlowRun, requirements: EngineRequirements) throws -> JSONValue {
        let common = guestConfiguration(run.services, requirements: requirements, projectID: instance.projectID)
        guard let guestBus = run.services.guestBus, var members = common.objectValue else { return common }
        members["bus"] = try guestBus.members(members["bus"], of: instance)
        return .object(members)
    }

    func guestConfiguration(
        _ services: FlowServices, requirements: EngineRequirements, projectID: String
    ) -> JSONValue {
        var members = services.configuration.guestDefaults.objectValue ?? [:]
        // A template belongs to nobody.
        if !projectID.isEmpty { members["project_id"] = .string(projectID) }
        members["datastore"] = ["name": .string(datastore.name), "version": .string(version.name)]
        var plugins = members["plugins"]?.objectValue ?? [:]
        for role in ["datastore", "backup"] {
            if let reference = instance.plugins[role] ?? version.plugins[role] { plugins[role] = reference }
        }
        if let extra = instance.plugins["extra"] ?? version.plugins["extra"] { plugins["extra"] = extra }
        members["plugins"] = .object(plugins)
        members["ports"] = .array(requirements.ports.map { .int(Int64($0)) })
        if let port = requirements.ports.first { members["port"] = .int(Int64(port)) }
        return .object(members)
    }

    func template(_ run: FlowRun, requirements: EngineRequirements) async throws -> TemplateRequest {
        try await template(run.services, requirements: requirements)
    }

    /// The template's key covers what its content depends on: the plugin's bytes, the version and the engine's programs.
    func template(_ services: FlowServices, requirements: EngineRequirements) async throws -> TemplateRequest {
        let reference = try plugin("datastore")
        let digest = await services.plugins.plugins.first { $0.isNamed(reference) }?.sha256 ?? ""
        let key = TemplateKey.make(
            datastore: datastore.name, version: version.name, pluginDigest: digest, programs: requirements.programs
        )
        return TemplateRequest(
            key: key, datastoreName: datastore.name, versionName: version.name,
            guestConfiguration: guestConfiguration(services, requirements: requirements, projectID: "")
        )
    }
}

/// What a datastore plugin says that an engine needs (`requirements.json`).
struct EngineRequirements: Sendable {
    var json: JSONValue
    var ports: [Int]
    var hasTemplate: Bool
    var programs: [String]

    init(json: JSONValue) throws {
        guard let ports = json["ports"]?.arrayValue else {
            throw FlowError("The datastore plugin's requirements name no ports.")
        }
        self.json = json
        self.ports = ports.compactMap(\.intValue)
        hasTemplate = json["has_template"]?.boolValue ?? false
        programs = (json["programs"]?.arrayValue ?? []).compactMap(\.stringValue)
    }
}
