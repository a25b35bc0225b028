// SPDX-License-Identifier: Apache-2.0

extension Schema {
    /// What `InstanceView` writes, of every depth.
    static let instance = Schema.named(
        "Instance",
        .object(
            [
                "id": .string(), "name": .string(), "status": .enumeration(instanceStatuses),
                "operating_status": .string(), "links": .links,
                "flavor": .object(["id": .string(), "links": .links], required: ["id", "links"]),
                "datastore": .object(
                    ["type": .string(), "version": .string(), "version_number": .string()],
                    required: ["type", "version"]),
                "region": .oneOf([.string(), .null]),
                "access": .object(["is_public": .boolean, "allowed_cidrs": .array(of: .string())]),
                "ip": .array(of: .string()),
                "addresses": .array(
                    of: .object(["address": .string(), "type": .string()], required: ["address", "type"])),
                "volume": .object(
                    ["size": .integer(minimum: 0), "used": .number, "used_percent": .number], required: ["size"]),
                "tenant_id": .string(), "created": .time, "updated": .time, "service_status_updated": .time,
                "fault": .object(
                    ["message": .string(), "created": .time, "details": .oneOf([.string(), .null])],
                    required: ["message", "created", "details"]),
                "configuration": .object(
                    ["id": .string(), "name": .string(), "links": .links], required: ["id", "name", "links"]),
                "server_id": .oneOf([.string(), .null]), "volume_id": .oneOf([.string(), .null]),
                "encrypted_rpc_messaging": .boolean, "cluster_id": .string(), "shard_id": .string(),
            ],
            required: [
                "id", "name", "status", "operating_status", "links", "flavor", "datastore", "region", "access",
            ]))

    private static let instanceStatuses = [
        "ACTIVE", "BACKUP", "BUILD", "DETACH", "EJECT", "ERROR", "LOGGING", "PROMOTE", "REBOOT", "RESIZE",
        "RESTART_REQUIRED", "SHUTDOWN", "UNKNOWN", "UPGRADE",
    ]

    /// `YYYY-MM-DDTHH:MM:SS`, UTC.
    static let time = Schema.named("Time", .string(minimum: 19, maximum: 19))

    static let links = Schema.named(
        "Links",
        .array(of: .object(["rel": .string(), "href": .string()], required: ["rel", "href"], isClosed: true)))

    /// A document with a list below `name`, and `links` where a next page is.
    static func page(_ name: String, of item: Schema) -> Schema {
        .object([name: .array(of: item), "links": .links], required: [name], isClosed: true)
    }

    /// A document with one object below `name`.
    static func document(_ name: String, _ item: Schema) -> Schema {
        .object([name: item], required: [name], isClosed: true)
    }
}
