// SPDX-License-Identifier: Apache-2.0

import Model
import StateStore

/// `/mgmt/accounts`, `/mgmt/hosts` and `/mgmt/storage`, for administrators. Source: REST contract §18.
enum HostManagementRoutes {
    static let routes: [Route<CoreRoute>] = [
        Route(
            "GET", "/mgmt/accounts",
            RouteDescription(
                "list_accounts", "For administrators: projects that have instances, and how many.",
                answer: .document("accounts", .array(of: account)), faults: [401]), accounts),
        Route(
            "GET", "/mgmt/accounts/{id}",
            RouteDescription(
                "show_account", "For administrators: the instances of one project.",
                answer: .document(
                    "account",
                    .object(
                        ["id": .string(), "instance_ids": .array(of: .string())], required: ["id", "instance_ids"])),
                faults: [401]), showAccount),
        Route(
            "GET", "/mgmt/hosts",
            RouteDescription(
                "list_hosts", "For administrators: hosts that have instances, and how many.",
                answer: .document("hosts", .array(of: host)), faults: [401]), hosts),
        Route(
            "GET", "/mgmt/hosts/{name}",
            RouteDescription(
                "show_host", "For administrators: the instances of one host, and the memory (MiB) that they have.",
                answer: .document("host", .object(["name": .string(), "usedRAM": .integer()])), faults: [401]), showHost
        ),
        Route(
            "GET", "/mgmt/storage",
            RouteDescription(
                "list_storage", "For administrators: where volumes of this process's host live; sizes in GB.",
                answer: .document("devices", .array(of: .object(["name": .string(), "used": .number]))),
                faults: [401]), storage),
    ]

    private static let account = Schema.object(
        ["id": .string(), "num_instances": .integer(minimum: 1)], required: ["id", "num_instances"])
    private static let host = Schema.object(
        ["name": .string(), "instanceCount": .integer(minimum: 0)], required: ["name", "instanceCount"])

    /// `{"accounts": [{"id", "num_instances"}]}`
    @Sendable private static func accounts(_ call: APICall) async throws -> APIResponse {
        try call.requireAdministrator()
        let counts = try await call.services.store.read { try $0.instances.countsByProject() }
        return list("accounts", counts, name: "id", count: "num_instances")
    }

    /// `{"account": {"id", "instance_ids": […]}}`; a project without instances has none.
    @Sendable private static func showAccount(_ call: APICall) async throws -> APIResponse {
        try call.requireAdministrator()
        let id = call.parameter(0)
        let ids = try await call.services.store.read { try $0.instances.ids(ofProject: id) }
        return .json { writer in
            writer.value([
                "account": ["id": .string(id), "instance_ids": .array(ids.map(JSONValue.string))]
            ])
        }
    }

    /// `{"hosts": [{"name", "instanceCount"}]}`, with this process's host also when it has none.
    @Sendable private static func hosts(_ call: APICall) async throws -> APIResponse {
        try call.requireAdministrator()
        var counts = try await call.services.store.read { try $0.instances.countsByHost() }
        if let own = await call.configuration.hostFacts()?.name, !counts.contains(where: { $0.name == own }) {
            counts.append((own, 0))
            counts.sort { $0.name < $1.name }
        }
        return list("hosts", counts, name: "name", count: "instanceCount")
    }

    /// `{"host": {"name", "percentUsed", "totalRAM", "usedRAM", "instances": […]}}`; the first two numbers are null of a host
    /// that is not this process's own.
    @Sendable private static func showHost(_ call: APICall) async throws -> APIResponse {
        try call.requireAdministrator()
        let name = call.parameter(0)
        let facts = await call.configuration.hostFacts().flatMap { $0.name == name ? $0 : nil }
        let instances = try await call.services.store.read { try $0.instances.summaries(ofHost: name) }
        guard !instances.isEmpty || facts != nil else { throw APIFault.missing(name) }
        let ram = call.configuration.flavorRAM
        let used = instances.reduce(0) { $0 + (ram[$1.instance.flavorID] ?? 0) }
        let total = facts?.memoryMiB
        let percent = total.map { $0 > 0 ? Int64(used * 100 / $0) : 0 }
        return .json(reserving: 512 + instances.count * 256) { writer in
            writer.value([
                "host": [
                    "name": .string(name), "usedRAM": .int(Int64(used)),
                    "totalRAM": total.map { .int(Int64($0)) } ?? .null,
                    "percentUsed": percent.map { .int($0) } ?? .null,
                    "instances": .array(instances.map(instance)),
                ]
            ])
        }
    }

    private static func instance(_ summary: InstanceSummary) -> JSONValue {
        let instance = summary.instance
        return [
            "id": .string(instance.id), "server_id": .optional(instance.serverID), "name": .string(instance.name),
            "tenant_id": .string(instance.projectID), "status": .string(summary.status.status),
        ]
    }

    /// `{"devices": [{"name", "type", "used", "capacity": {"total", "available"}, "provision": {"total", "available", "percent"}}]}`;
    /// none where this process makes no volumes.
    @Sendable private static func storage(_ call: APICall) async throws -> APIResponse {
        try call.requireAdministrator()
        let devices = await call.configuration.hostFacts().map { [device($0)] } ?? []
        return .json { writer in writer.value(["devices": .array(devices)]) }
    }

    private static func device(_ facts: HostFacts) -> JSONValue {
        let available = max(0, facts.promisableBytes - facts.promisedBytes)
        let percent = facts.promisableBytes > 0 ? facts.promisedBytes * 100 / facts.promisableBytes : 0
        return [
            "name": .string(facts.name), "type": "local",
            "used": size(facts.volumeBytes - facts.freeVolumeBytes),
            "capacity": ["total": size(facts.volumeBytes), "available": size(facts.freeVolumeBytes)],
            "provision": [
                "total": size(facts.promisableBytes), "available": size(available), "percent": .int(Int64(percent)),
            ],
        ]
    }

    private static func size(_ bytes: Int) -> JSONValue { .double(gigabytes(Int64(bytes))) }

    private static func list(
        _ key: StaticString, _ counts: [(name: String, count: Int)], name: StaticString, count: StaticString
    ) -> APIResponse {
        .json(reserving: 64 + counts.count * 96) { writer in
            writer.object { writer in
                writer.key(key)
                writer.array { writer in
                    for entry in counts {
                        writer.object { writer in
                            writer.member(name, entry.name)
                            writer.member(count, entry.count)
                        }
                    }
                }
            }
        }
    }
}
