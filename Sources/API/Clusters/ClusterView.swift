// SPDX-License-Identifier: Apache-2.0

import Model
import StateStore

/// Writes clusters. Source: REST contract §13, §16.
struct ClusterView {
    private let clusterLinks: LinkWriter.CollectionLinks
    private let instanceLinks: LinkWriter.CollectionLinks
    private let flavorLinks: LinkWriter.CollectionLinks
    /// Whether project and deletion are shown, and members of every type.
    private let isManaged: Bool

    init(_ call: APICall, isManaged: Bool = false) {
        let links = call.links
        clusterLinks = links.of("clusters")
        instanceLinks = links.of("instances")
        flavorLinks = links.of("flavors")
        self.isManaged = isManaged
    }

    /// Types that tenants work with; others only serve the cluster.
    private static let shownTypes: Set<String> = ["member", "master"]

    /// An item of a list.
    func write(_ cluster: ClusterRecord, _ members: [ClusterMember], _ writer: inout JSONWriter) {
        writer.object { writer in
            writeHead(cluster, &writer)
            writer.key("instances")
            writer.array { writer in
                for member in members where isManaged || Self.shownTypes.contains(member.type) {
                    writer.object { writer in
                        writeMember(member.id, member.name, member.type, member.shardID, &writer)
                    }
                }
            }
        }
    }

    /// One cluster, with what its members are and where.
    func write(_ cluster: ClusterRecord, _ members: [InstanceSummary], _ writer: inout JSONWriter) {
        let shown = members.filter { isManaged || Self.shownTypes.contains($0.instance.membership?.type ?? "member") }
        writer.object { writer in
            writeHead(cluster, &writer)
            writer.key("instances")
            writer.array { writer in
                for member in shown { write(member, &writer) }
            }
            let addresses = shown.compactMap(\.instance.address)
            if !addresses.isEmpty { writeAddresses(addresses, &writer) }
        }
    }

    /// `{"cluster": {…}}`
    func document(_ cluster: ClusterRecord, _ members: [InstanceSummary], status: Int = 200) -> APIResponse {
        .json(status) { writer in
            writer.object { writer in
                writer.key("cluster")
                write(cluster, members, &writer)
            }
        }
    }

    private func writeHead(_ cluster: ClusterRecord, _ writer: inout JSONWriter) {
        writer.member("id", cluster.id)
        writer.member("name", cluster.name)
        writer.member(
            "task",
            [
                "id": .int(Int64(cluster.task.rawValue)), "name": .string(cluster.task.name),
                "description": .string(cluster.task.text),
            ])
        writer.member("created", cluster.created)
        writer.member("updated", cluster.updated)
        clusterLinks.write(&writer, cluster.id)
        writer.key("datastore")
        writer.object { writer in
            writer.member("type", cluster.datastoreName)
            writer.member("version", cluster.datastoreVersionName)
        }
        if let id = cluster.configurationID { writer.member("configuration", id) }
        guard isManaged else { return }
        writer.member("tenant_id", cluster.projectID)
        writer.member("deleted", cluster.deleted != nil)
        if let deleted = cluster.deleted { writer.member("deleted_at", deleted) }
    }

    private func writeMember(
        _ id: String, _ name: String, _ type: String, _ shardID: String?, _ writer: inout JSONWriter
    ) {
        writer.member("id", id)
        writer.member("name", name)
        writer.member("type", type)
        instanceLinks.write(&writer, id)
        if let shardID { writer.member("shard_id", shardID) }
    }

    private func write(_ member: InstanceSummary, _ writer: inout JSONWriter) {
        let instance = member.instance
        writer.object { writer in
            writeMember(
                instance.id, instance.name, instance.membership?.type ?? "member", instance.membership?.shardID, &writer
            )
            writer.member("status", member.status.status)
            if instance.volumeGiB > 0 { writer.member("volume", ["size": .int(Int64(instance.volumeGiB))]) }
            writer.key("flavor")
            writer.object { writer in
                writer.member("id", instance.flavorID)
                flavorLinks.write(&writer, instance.flavorID)
            }
            if let address = instance.address { writeAddresses([address], &writer) }
        }
    }

    private func writeAddresses(_ addresses: [String], _ writer: inout JSONWriter) {
        writer.member(
            "ip", .array(addresses.map { ["address": .string($0), "type": "private"] }))
    }
}

extension Schema {
    /// What `ClusterView` writes.
    static let cluster = Schema.named(
        "Cluster",
        .object(
            [
                "id": .string(), "name": .string(), "created": .time, "updated": .time, "links": .links,
                "task": .object(
                    ["id": .integer(minimum: 1, maximum: 9), "name": .string(), "description": .string()],
                    required: ["id", "name", "description"]),
                "datastore": .object(["type": .string(), "version": .string()], required: ["type", "version"]),
                "instances": .array(
                    of: .object(
                        [
                            "id": .string(), "name": .string(), "type": .string(), "links": .links,
                            "shard_id": .string(), "status": .string(),
                            "volume": .object(["size": .integer(minimum: 0)]), "ip": .array(of: addressOfMember),
                        ], required: ["id", "name", "type", "links"])),
                "ip": .array(of: addressOfMember), "configuration": .string(), "tenant_id": .string(),
                "deleted": .boolean, "deleted_at": .time,
            ], required: ["id", "name", "task", "created", "updated", "links", "datastore", "instances"]))

    private static let addressOfMember = Schema.object(
        ["address": .string(), "type": .string()], required: ["address", "type"])
}
