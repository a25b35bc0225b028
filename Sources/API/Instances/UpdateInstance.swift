// SPDX-License-Identifier: Apache-2.0

import Model
import StateStore

/// `PUT` and `PATCH /instances/{id}` → 202, empty: renames. Source: REST contract §3.4.
enum UpdateInstance {
    /// `{"instance": {"name"?, "configuration"?, "replica_of"?, "datastore_version"?, "access"?}}`
    @Sendable static func put(_ call: APICall) async throws -> APIResponse {
        try await handle(call, schema(["access": access, "replica_of": .any]))
    }

    /// As `put`, with `slave_of` and without `access`.
    @Sendable static func patch(_ call: APICall) async throws -> APIResponse {
        try await handle(call, schema(["replica_of": .any, "slave_of": .any]))
    }

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
        try await call.services.store.write(.durable) { transaction in
            _ = try call.instance(id, rule: "instance:update", transaction)
            if let other = others.first { try refuse(other, changes[other] ?? .null, id) }
            if let name = changes["name"]?.stringValue {
                try transaction.instances.setName(id, to: name, now: call.now)
            }
        }
        return .accepted
    }

    /// Detaching a configuration from an instance that can have none is done already; everything else is refused.
    private static func refuse(_ name: String, _ value: JSONValue, _ id: String) throws(APIFault) {
        switch name {
        case "configuration":
            guard value.isNull else { throw APIFault.unsupported("Configuration groups are not supported.") }
        case "replica_of", "slave_of": throw APIFault(400, "Instance \(id) is not a replica.")
        case "datastore_version": throw APIFault.unsupported("Upgrading the datastore version is not supported.")
        default: throw APIFault.unsupported("Changing the access of an instance is not supported.")
        }
    }
}
