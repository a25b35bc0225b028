// SPDX-License-Identifier: Apache-2.0

import Model
import StateStore

/// `/mgmt/clusters`: clusters of all projects, for administrators. Source: REST contract §16.
enum ClusterManagementRoutes {
    static let routes: [Route<CoreRoute>] =
        [
            Route(
                "GET", "/mgmt/clusters",
                RouteDescription(
                    "list_managed_clusters", "For administrators: clusters of all projects.",
                    query: [.deleted], answer: .document("clusters", .array(of: .cluster)), faults: [401]), list),
            Route(
                "GET", "/mgmt/clusters/{id}",
                RouteDescription(
                    "show_managed_cluster", "For administrators: one cluster, also one that is no more.",
                    answer: .document("cluster", .cluster), faults: [401]), show),
            Route(
                "POST", "/mgmt/clusters/{id}/action",
                RouteDescription(
                    "act_on_managed_cluster", "For administrators: forgets the cluster's task.",
                    body: .object(["reset-task": .any]), status: 202, faults: [401]), action),
        ] + inherited

    /// The user routes under another path: not for administrators alone, as in the reference service.
    private static let inherited: [Route<CoreRoute>] = ClusterRoutes.routes.compactMap { route in
        let pattern = route.pattern
        guard pattern == RoutePattern("POST", "/clusters") || pattern == RoutePattern("DELETE", "/clusters/{id}")
        else { return nil }
        var about = route.target.about
        about.id = "managed_" + about.id
        return Route(pattern.method, "/mgmt" + pattern.path, about, route.target.handle)
    }

    /// `{"clusters": […]}`
    @Sendable private static func list(_ call: APICall) async throws -> APIResponse {
        try call.requireAdministrator()
        let isDeleted = try Query(call.request.query).flag("deleted")
        let (clusters, members) = try await call.services.store.read { transaction in
            let clusters = try transaction.clusters.all(isDeleted: isDeleted)
            return (clusters, try transaction.clusters.members(of: clusters.map(\.id)))
        }
        let byCluster = Dictionary(grouping: members, by: \.clusterID)
        let view = ClusterView(call, isManaged: true)
        return .json(reserving: 256 + clusters.count * 1024) { writer in
            writer.object { writer in
                writer.key("clusters")
                writer.array { writer in
                    for cluster in clusters { view.write(cluster, byCluster[cluster.id] ?? [], &writer) }
                }
            }
        }
    }

    /// `{"cluster": {…}}`
    @Sendable private static func show(_ call: APICall) async throws -> APIResponse {
        try call.requireAdministrator()
        let id = call.parameter(0)
        let (cluster, members) = try await call.services.store.read { transaction in
            (try find(id, transaction), try transaction.memberSummaries(of: id))
        }
        return ClusterView(call, isManaged: true).document(cluster, members)
    }

    /// 202, empty.
    @Sendable private static func action(_ call: APICall) async throws -> APIResponse {
        try call.requireAdministrator()
        let id = call.parameter(0)
        let body = try await call.body()
        try await call.services.store.write(.durable) { transaction in
            let cluster = try find(id, transaction)
            guard body.objectValue?.keys.elementsEqual(["reset-task"]) ?? false else {
                throw APIFault(400, "Invalid cluster action requested.")
            }
            guard cluster.deleted == nil else { throw APIFault(.modelNotFound, "DBCluster Not Found") }
            try transaction.clusters.setTask(id, to: .none, now: call.now)
        }
        return .accepted
    }

    private static func find(_ id: String, _ transaction: any StateTransaction) throws -> ClusterRecord {
        guard let cluster = try transaction.clusters.find(id) else {
            throw APIFault(.modelNotFound, "DBCluster Not Found")
        }
        return cluster
    }
}
