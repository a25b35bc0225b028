// SPDX-License-Identifier: Apache-2.0

import Model
import StateStore

/// What administrators see beside the members that everyone sees. Source: REST contract §15.
extension InstanceView {
    /// The administrators' show tells the guest's last word as it was, however old it is.
    var heartbeatExpiry: Duration { depth == .managedShow ? .seconds(Int64.max / 1_000_000_000) : expiry }

    func writeManaged(_ managed: ManagedInstance, _ writer: inout JSONWriter) {
        let summary = managed.summary
        let (instance, isShow) = (summary.instance, depth == .managedShow)
        writer.key("server")
        if instance.serverID == nil {
            writer.value(.null)
        } else {
            writer.value(Self.server(instance, withAddresses: isShow))
        }
        let service = isShow ? instance.service : summary.status.effectiveService(now: now, expiry: expiry)
        writer.member("service_status", service.apiStatus)
        writer.member("deleted", instance.deleted != nil)
        writer.member("deleted_at", instance.deleted)
        writer.member("task_description", instance.task.text)
        guard isShow else { return }
        if let root = managed.root {
            writer.member("root_enabled", root.created)
            writer.member("root_enabled_by", root.userID)
        }
        writer.member("guest_status", ["state_description": .string(instance.service.text)])
    }

    private static func server(_ instance: InstanceRecord, withAddresses: Bool) -> JSONValue {
        var server: [String: JSONValue] = [
            "id": .optional(instance.serverID), "name": .string(instance.name),
            "status": .string(instance.serverStatus.rawValue), "tenant_id": .string(instance.projectID),
            "host": .optional(instance.computeHost),
        ]
        if withAddresses {
            server["addresses"] =
                instance.address.map { ["private": [["addr": .string($0), "version": 4]]] } ?? .object([:])
        }
        return .object(server)
    }

    /// The volume as the volume service would tell it; null without one.
    ///
    /// Volumes of this host have no id of their own: `id` is null. `used` is what the guest last reported, `total` the size,
    /// both in GB (2^30 bytes).
    func writeManagedVolume(_ summary: InstanceSummary, _ writer: inout JSONWriter) {
        let instance = summary.instance
        guard instance.volumeGiB > 0 else {
            writer.member("volume", .null)
            return
        }
        let isDeleted = instance.deleted != nil
        let attachments = isDeleted ? [] : instance.serverID.map { [["server_id": .string($0)] as JSONValue] } ?? []
        writer.member(
            "volume",
            [
                "attachments": .array(attachments), "availability_zone": .optional(instance.region),
                "created_at": .string(instance.created.text), "id": .null, "size": .int(Int64(instance.volumeGiB)),
                "status": .string(isDeleted ? "deleted" : attachments.isEmpty ? "creating" : "in-use"),
                "used": isDeleted
                    ? .null : instance.volumeUsedBytes.map { .double(gigabytes(Int64($0))) } ?? .null,
                "total": .double(Double(instance.volumeGiB)),
            ])
    }
}

extension Schema {
    /// What `InstanceView` writes for administrators, of both depths.
    static let managedInstance = Schema.named(
        "ManagedInstance",
        .object(
            [
                "id": .string(), "name": .string(), "status": .string(), "operating_status": .string(),
                "tenant_id": .string(), "links": .links, "created": .time, "updated": .time,
                "server": .oneOf([
                    .object(["id": .string(), "name": .string(), "status": .string(), "tenant_id": .string()]), .null,
                ]),
                "volume": .oneOf([.object(["size": .integer(minimum: 0)]), .null]),
                "service_status": .string(), "deleted": .boolean, "deleted_at": .oneOf([.time, .null]),
                "task_description": .string(), "root_enabled": .time, "root_enabled_by": .string(),
                "guest_status": .object(["state_description": .string()], required: ["state_description"]),
                "encrypted_rpc_messaging": .boolean,
            ],
            required: [
                "id", "name", "status", "tenant_id", "server", "service_status", "deleted", "deleted_at",
                "task_description",
            ]))
}
