// SPDX-License-Identifier: Apache-2.0

import Model
import StateStore

/// `POST /clusters/{id}` with one action key → 202, the cluster. Source: REST contract §13.
enum ClusterActions {
    static let description = RouteDescription(
        "act_on_cluster", "Does one action: the key of the body names it.", rule: "cluster:action",
        body: .object(actions), status: 202, answer: .document("cluster", .cluster), faults: [422])

    private static let actions: [String: Schema] = [
        "grow": .array(
            of: CreateCluster.member(
                required: ["flavorRef"],
                ["name": .nonEmptyText, "related_to": .nonEmptyText, "type": .nonEmptyText])),
        "shrink": .array(of: .object(["id": .uuid], required: ["id"])),
        "upgrade": .object(["datastore_version": .nonEmptyText], required: ["datastore_version"]),
        "restart": .object([:]),
        "configuration_attach": .object(["configuration_id": .uuid], required: ["configuration_id"]),
        "configuration_detach": .object([:]),
        "reset-status": .object(["force_delete": .any]),
    ]

    @Sendable static func handle(_ call: APICall) async throws -> APIResponse {
        let id = call.parameter(0)
        let body = try await call.body()
        guard let members = body.objectValue, members.count == 1, let (action, argument) = members.first else {
            throw APIFault(400, "Action request should have exactly one action specified in body")
        }
        if let schema = actions[action] { try Schema.object([action: schema]).validate([action: argument]) }
        guard action != "reset-status" else { return try await resetStatus(id, argument, call) }
        _ = try await call.services.store.read { try call.cluster(id, rule: "cluster:action", $0) }
        guard actions[action] != nil else { throw APIFault(400, "Action \(action) not supported") }
        if action == "grow", argument.arrayValue?.isEmpty ?? true {
            throw APIFault(400, "No instances specified for grow operation.")
        }
        // What the engines' plugins can do to a cluster would be asked here; none says that it can do any of it.
        throw APIFault(400, "Action '\(action)' not supported")
    }

    /// Forgets the tasks of the cluster and its members, and doubts their services until their guests speak again.
    private static func resetStatus(
        _ id: String, _ argument: JSONValue, _ call: APICall
    ) async throws -> APIResponse {
        let rule = argument["force_delete"] != nil ? "cluster:force_delete" : "cluster:reset-status"
        let (cluster, members) = try await call.services.store.write(.durable) { transaction in
            var cluster = try call.cluster(id, rule: rule, transaction)
            try transaction.clusters.setTask(id, to: .none, now: call.now)
            cluster.task = .none
            cluster.updated = call.now
            for member in try transaction.clusters.members(of: [id]) {
                try transaction.instances.setTask(member.id, to: .none, expecting: nil, now: call.now)
                try transaction.instances.setService(member.id, to: .unknown, heartbeat: call.now)
                try transaction.backups.failRunning(instanceID: member.id, now: call.now)
            }
            return (cluster, try transaction.memberSummaries(of: id))
        }
        return ClusterView(call).document(cluster, members, status: 202)
    }
}
