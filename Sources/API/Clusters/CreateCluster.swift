// SPDX-License-Identifier: Apache-2.0

import Model
import PluginHost
import StateStore

/// `POST /clusters`. Source: REST contract §13.
///
/// Which datastores can form clusters their plugins declare: one that provides `trove.cluster/1`.
enum CreateCluster {
    static let schema = Schema.object(
        [
            "cluster": .object(
                [
                    "name": .nonEmptyText,
                    "datastore": .object(["type": .nonEmptyText, "version": .nonEmptyText]),
                    "instances": .array(of: member(required: ["flavorRef"])),
                    "locality": .enumeration(["affinity", "anti-affinity"]), "configuration": .any,
                    "extended_properties": .object([
                        "num_configsvr": .positiveInteger, "num_mongos": .positiveInteger,
                        "configsvr_volume_size": .positiveInteger, "configsvr_volume_type": .nonEmptyText,
                        "mongos_volume_size": .positiveInteger, "mongos_volume_type": .nonEmptyText,
                    ]),
                ],
                required: ["name", "datastore", "instances"]
            )
        ],
        required: ["cluster"]
    )

    /// An instance as bodies of `create` and `grow` describe it.
    static func member(required: [String], _ more: [String: Schema] = [:]) -> Schema {
        let members: [String: Schema] = [
            "flavorRef": .flavorReference, "volume": .volume, "nics": .array(of: .object([:])),
            "availability_zone": .nonEmptyText, "region_name": .nonEmptyText,
            "modules": .array(of: .object(["id": .uuid], required: ["id"])),
        ]
        return .object(members.merging(more) { _, new in new }, required: required)
    }

    /// The extension that a datastore's plugin provides when it can form clusters.
    private static let capability = "trove.cluster/1"

    @Sendable static func handle(_ call: APICall) async throws -> APIResponse {
        try call.require("cluster:create")
        let body = try await call.body()
        try schema.validate(body)
        let request = body["cluster"] ?? [:]
        let (type, name) = (request["datastore"]?["type"], request["datastore"]?["version"])
        let (datastore, version) = try await call.services.store.read { transaction in
            try DatastoreLookup.forCreate(
                type: type?.stringValue, version: name?.stringValue, number: nil,
                defaultDatastore: call.configuration.defaultDatastore, transaction)
        }
        let reference = version.plugins["datastore"]?.stringValue
        let plugin = await call.services.plugins.plugins.first { plugin in
            reference.map(plugin.isNamed) ?? false
        }
        guard let plugin, plugin.provides.contains(capability) else {
            throw APIFault(
                .clusterDatastoreNotSupported, "Clusters not supported for \(datastore.name)-\(version.name).")
        }
        try checkMembers(request["instances"]?.arrayValue ?? [], call.configuration)
        throw APIFault(
            .clusterDatastoreNotSupported,
            "Clusters not supported for \(datastore.name)-\(version.name): this release forms none, though the plugin"
                + " '\(plugin.reference)' could.")
    }

    /// Members are alike: one flavor and one size of volume.
    private static func checkMembers(_ members: [JSONValue], _ configuration: APIConfiguration) throws(APIFault) {
        guard !members.isEmpty else {
            throw APIFault(400, "The number of instances for your initial cluster must be at least 1.")
        }
        let flavors = members.map { member in
            let reference = member["flavorRef"]
            let text = reference?.stringValue ?? reference?.intValue.map(String.init) ?? ""
            return text.split(separator: "/").last.map(String.init) ?? text
        }
        if let unknown = flavors.first(where: { id in !configuration.flavors.contains { $0.id == id } }) {
            throw APIFault(.flavorNotFound, "Resource \(unknown) cannot be found.")
        }
        guard Set(flavors).count == 1 else {
            throw APIFault(400, "The flavor for each instance in a cluster must be the same.")
        }
        guard configuration.hasVolumeSupport else { return }
        let sizes = members.map { $0["volume"]?["size"].flatMap { $0.intValue ?? Int($0.stringValue ?? "") } }
        guard !sizes.contains(nil) else {
            throw APIFault(400, "A volume size is required for each instance in the cluster.")
        }
        guard Set(sizes).count == 1 else {
            throw APIFault(400, "The volume size for each instance in a cluster must be the same.")
        }
    }
}
