// SPDX-License-Identifier: Apache-2.0

import Model
import StateStore

/// `/backup_strategies`: where backups go when a request does not say. Source: REST contract §8.1.
enum BackupStrategyRoutes {
    static let routes: [Route<CoreRoute>] = [
        Route(
            "GET", "/backup_strategies",
            RouteDescription(
                "list_backup_strategies", "Where backups of a project, and of its instances, go.",
                rule: "backup_strategy:index", query: query,
                answer: .document("backup_strategies", .array(of: .backupStrategy))), list),
        Route(
            "POST", "/backup_strategies",
            RouteDescription(
                "create_backup_strategy", "Says where backups of a project or an instance go from now on.",
                rule: "backup_strategy:create", body: schema, status: 202,
                answer: .document("backup_strategy", .backupStrategy)), create),
        Route(
            "DELETE", "/backup_strategies",
            RouteDescription(
                "delete_backup_strategy", "Forgets where backups of a project or an instance go.",
                rule: "backup_strategy:delete", query: query, status: 202), delete),
    ]

    private static let query = [
        QueryParameter("instance_id", "Of this instance; without it of the project."),
        QueryParameter("project_id", "For administrators: of this project."),
    ]

    private static let schema = Schema.object(
        [
            "backup_strategy": .object(
                ["swift_container": .nonEmptyText, "instance_id": .uuid], required: ["swift_container"],
                isClosed: true)
        ], required: ["backup_strategy"])

    /// `{"backup_strategies": […]}`
    @Sendable private static func list(_ call: APICall) async throws -> APIResponse {
        let (projectID, instanceID) = try scope(call, "backup_strategy:index")
        let strategies = try await call.services.store.read { transaction in
            try transaction.backupStrategies.all(projectID: projectID, instanceID: instanceID)
        }
        return .json { writer in
            writer.value(["backup_strategies": .array(strategies.map(view))])
        }
    }

    /// 202 `{"backup_strategy": {…}}`. An administrator's, for an instance, is of the instance's project.
    @Sendable private static func create(_ call: APICall) async throws -> APIResponse {
        try call.require("backup_strategy:create")
        let body = try await call.body()
        try schema.validate(body)
        let request = body["backup_strategy"] ?? [:]
        let container = try BackupContainer.checked(request["swift_container"]?.stringValue ?? "")
        let instanceID = request["instance_id"]?.stringValue
        let id = call.services.random.uuid()
        let strategy = try await call.services.store.write(.durable) { transaction in
            let owner = try instanceID.map {
                try call.instance($0, rule: "backup_strategy:create", transaction).instance.projectID
            }
            let strategy = BackupStrategyRecord(
                id: id, projectID: owner ?? call.context.projectID, instanceID: instanceID, container: container)
            try transaction.backupStrategies.put(strategy)
            return strategy
        }
        return .json(202) { writer in writer.value(["backup_strategy": view(strategy)]) }
    }

    /// 202, empty, also when there is none.
    @Sendable private static func delete(_ call: APICall) async throws -> APIResponse {
        let (projectID, instanceID) = try scope(call, "backup_strategy:delete")
        try await call.services.store.write(.durable) { transaction in
            try transaction.backupStrategies.remove(projectID: projectID, instanceID: instanceID)
        }
        return .accepted
    }

    private static func scope(_ call: APICall, _ rule: String) throws -> (projectID: String, instanceID: String?) {
        try call.require(rule)
        let query = Query(call.request.query)
        let named = { (name: String) in query[name].flatMap { $0.isEmpty ? nil : $0 } }
        let projectID = named("project_id") ?? call.context.projectID
        guard call.context.isAdmin || projectID == call.context.projectID else {
            throw APIFault(.operationAuthError, "Operation not allowed for tenant \(call.context.projectID).")
        }
        return (projectID, named("instance_id"))
    }

    private static func view(_ strategy: BackupStrategyRecord) -> JSONValue {
        [
            "project_id": .string(strategy.projectID), "instance_id": .string(strategy.instanceID ?? ""),
            "backend": "swift", "swift_container": .string(strategy.container),
        ]
    }
}

/// Containers of the object store.
enum BackupContainer {
    /// The name, when the object store can have it.
    ///
    /// - Throws: 400 naming what a container's name is made of.
    static func checked(_ name: String) throws(APIFault) -> String {
        let isPlain = name.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"):
                true
            default: false
            }
        }
        guard isPlain, name.utf8.count <= 200, !TextPattern.isUUID(name) else {
            throw APIFault(
                400,
                "The container '\(name)' cannot be used: a name has up to 200 letters, digits, '.', '_' and '-', and is no"
                    + " UUID.")
        }
        return name
    }

    /// Where a backup goes: what the request says, else what the instance's or its project's strategy says.
    static func of(
        _ request: JSONValue, instance: InstanceRecord, _ transaction: any StateTransaction
    ) throws -> String? {
        if let name = request["swift_container"]?.stringValue { return try checked(name) }
        return try transaction.backupStrategies.find(projectID: instance.projectID, instanceID: instance.id)?.container
    }
}

extension Schema {
    static let backupStrategy = Schema.named(
        "BackupStrategy",
        .object(
            [
                "project_id": .string(), "instance_id": .string(), "backend": .enumeration(["swift"]),
                "swift_container": .string(),
            ], required: ["project_id", "instance_id", "backend", "swift_container"]))
}
