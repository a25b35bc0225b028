// SPDX-License-Identifier: Apache-2.0

import Model
import StateStore

/// `PUT` and `PATCH /instances/{id}` → 202, empty: renames, attaches or detaches a configuration group, upgrades, replaces the
/// access rules. Source: REST contract §3.4.
enum UpdateInstance {
    /// `{"instance": {"name"?, "configuration"?, "replica_of"?, "datastore_version"?, "access"?}}`
    @Sendable static func put(_ call: APICall) async throws -> APIResponse {
        try await handle(call, putSchema)
    }

    /// As `put`, with `slave_of` and without `access`.
    @Sendable static func patch(_ call: APICall) async throws -> APIResponse {
        try await handle(call, patchSchema)
    }

    static let putSchema = schema(["access": access, "replica_of": .any])
    static let patchSchema = schema(["replica_of": .any, "slave_of": .any])

    static let access = Schema.object([
        "is_public": .boolean,
        "allowed_cidrs": .array(of: .string(pattern: .cidr), isUnique: true),
    ])

    private static func schema(_ extra: [String: Schema]) -> Schema {
        let common: [String: Schema] = [
            "name": .nonEmptyText, "configuration": .oneOf([.uuid, .null]), "datastore_version": .nonEmptyText,
        ]
        return .object(
            ["instance": .object(common.merging(extra) { common, _ in common }, isClosed: true)],
            required: ["instance"], isClosed: true
        )
    }

    private static func handle(_ call: APICall, _ schema: Schema) async throws -> APIResponse {
        let id = call.parameter(0)
        let body = try await call.body()
        try schema.validate(body)
        let changes = body["instance"]?.objectValue ?? [:]
        let others = changes.keys.filter { $0 != "name" }
        guard others.count <= 1 else {
            throw APIFault(400, "Only one attribute (except 'name') is allowed to update.")
        }
        // An empty object takes the group away: REST contract §3.4.
        if others == ["configuration"] || changes.isEmpty {
            try await ConfigurationAssignment(
                instanceID: id, groupID: changes["configuration"]?.stringValue, name: changes["name"]?.stringValue
            ).perform(call)
            return .accepted
        }
        if let version = changes["datastore_version"]?.stringValue {
            try await UpgradeInstance(
                instanceID: id, version: version, name: changes["name"]?.stringValue
            ).perform(call)
            return .accepted
        }
        if others == ["access"] {
            let rules = AccessRules(changes["access"])
            try await AccessUpdate(instanceID: id, rules: rules, name: changes["name"]?.stringValue).perform(call)
            return .accepted
        }
        try await call.services.store.write(.durable) { transaction in
            _ = try call.instance(id, rule: "instance:update", transaction)
            // Of the other attributes only those of a replica are left.
            guard others.isEmpty else { throw APIFault(400, "Instance \(id) is not a replica.") }
            if let name = changes["name"]?.stringValue {
                try transaction.instances.setName(id, to: name, now: call.now)
            }
        }
        return .accepted
    }
}
