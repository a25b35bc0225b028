// SPDX-License-Identifier: Apache-2.0

import Model
import Notifications
import StateStore

/// `PUT` → 202 and `PATCH /configurations/{id}` → 200, both empty: changes a group, and what its instances have.
///
/// The rows and an operation for every instance are committed together; the answer comes when the operations have ended.
/// Source: REST contract §9.
enum UpdateConfiguration {
    static let putSchema = schema([
        "name": .nonEmptyText, "description": .oneOf([.string(maximum: 255), .null]), "values": .map(of: .any),
    ])
    static let patchSchema = schema(["values": .map(of: .any)])

    private static func schema(_ members: [String: Schema]) -> Schema {
        .object(["configuration": .object(members, isClosed: true)], required: ["configuration"])
    }

    /// Takes the place of all values, if there are any in the body.
    @Sendable static func put(_ call: APICall) async throws -> APIResponse {
        let changes = try await body(call, putSchema)
        var traits: [String: JSONValue] = ["configuration_id": .string(call.parameter(0))]
        for name in ["name", "description"] { traits[name] = changes[name] ?? .null }
        try await update(changes, .replacing, .configurationUpdate, traits, rule: "configuration:update", call)
        return .accepted
    }

    /// Adds to the values that are there.
    @Sendable static func patch(_ call: APICall) async throws -> APIResponse {
        let changes = try await body(call, patchSchema)
        let traits: [String: JSONValue] = ["configuration_id": .string(call.parameter(0))]
        try await update(changes, .merging, .configurationEdit, traits, rule: "configuration:edit", call)
        return APIResponse(status: 200)
    }

    private enum Mode { case replacing, merging }

    private static func body(_ call: APICall, _ schema: Schema) async throws -> [String: JSONValue] {
        let body = try await call.body()
        try schema.validate(body)
        return body["configuration"]?.objectValue ?? [:]
    }

    private static func update(
        _ changes: [String: JSONValue], _ mode: Mode, _ event: OperationEvent, _ traits: [String: JSONValue],
        rule: String, _ call: APICall
    ) async throws {
        let id = call.parameter(0)
        let operations = try await call.announcing(event, traits) { announcement in
            let values = try await checked(changes, mode, rule: rule, call)
            return try await call.services.store.write(.durable) { transaction in
                var group = try call.configurationGroup(id, rule: rule, transaction)
                if let name = changes["name"]?.stringValue { group.name = name }
                if let description = changes["description"] { group.description = description.stringValue }
                try transaction.configurations.save(group, now: call.now)
                let operations = try values.map { try store($0, mode, id, call, transaction) } ?? []
                try announcement.complete(transaction)
                return operations
            }
        }
        guard !operations.isEmpty else { return }
        await call.wakeTaskManager()
        try await call.requireSuccess(of: operations)
    }

    /// The new values, nil where none are given; the whole is checked as it will be.
    private static func checked(
        _ changes: [String: JSONValue], _ mode: Mode, rule: String, _ call: APICall
    ) async throws -> [String: JSONValue]? {
        let id = call.parameter(0)
        let (group, old, version) = try await call.services.store.read { transaction in
            let group = try call.configurationGroup(id, rule: rule, transaction)
            return (
                group, try transaction.configurations.values(id),
                try transaction.datastores.version(group.datastoreVersionID)
            )
        }
        guard let given = changes["values"]?.objectValue, let version else { return nil }
        let catalogue = try await ParameterCatalogue.load(version, call)
        let new = try catalogue.checked(given, datastore: group.datastoreName)
        try await catalogue.checkTogether(mode == .replacing ? new : old.merging(new) { $1 }, call)
        return new
    }

    /// - Returns: The operations that give the values to the group's instances.
    private static func store(
        _ values: [String: JSONValue], _ mode: Mode, _ id: String, _ call: APICall, _ transaction: any StateTransaction
    ) throws -> [String] {
        let old = try transaction.configurations.values(id)
        let gone = mode == .replacing ? old.keys.filter { values[$0] == nil }.sorted() : []
        try transaction.configurations.remove(id, names: gone)
        try transaction.configurations.put(id, values)
        return try transaction.configurations.instances(id, after: nil, limit: Int(Int32.max)).compactMap { instance in
            guard instance.task != .deleting else { return nil }
            let isIdle = instance.task == .none || instance.task == .restartRequired
            if isIdle {
                try transaction.instances.setTask(
                    instance.id, to: .updating, expecting: [instance.task], now: call.now)
            }
            let row = call.journal(
                .applyConfiguration, resourceID: instance.id, projectID: instance.projectID,
                host: instance.computeHost,
                [
                    "instance_id": .string(instance.id), "configuration_id": .string(id), "previous_id": .string(id),
                    "names": .array(gone.map(JSONValue.string)),
                    "was_restart_required": .bool(instance.task == .restartRequired),
                ])
            try transaction.journal.insert(row)
            return row.id
        }
    }
}
