// SPDX-License-Identifier: Apache-2.0

import Model
import StateStore

/// `/clusters`. Source: REST contract §13.
enum ClusterRoutes {
    static let routes: [Route<CoreRoute>] = [
        Route(
            "GET", "/clusters",
            RouteDescription(
                "list_clusters", "Clusters of the project.", rule: "cluster:index", query: QueryParameter.pages,
                answer: .page("clusters", of: .cluster)), list),
        Route(
            "POST", "/clusters",
            RouteDescription(
                "create_cluster", "Makes a cluster, where the datastore's plugin can.", rule: "cluster:create",
                body: CreateCluster.schema, answer: .document("cluster", .cluster), faults: [501]),
            CreateCluster.handle),
        Route(
            "GET", "/clusters/{id}",
            RouteDescription(
                "show_cluster", "One cluster with its members.", rule: "cluster:show",
                answer: .document("cluster", .cluster)), show),
        Route("POST", "/clusters/{id}", ClusterActions.description, ClusterActions.handle),
        Route(
            "DELETE", "/clusters/{id}",
            RouteDescription(
                "delete_cluster", "Removes a cluster and its members.", rule: "cluster:delete", status: 202,
                faults: [422]), delete),
        Route(
            "GET", "/clusters/{id}/instances/{instance}",
            RouteDescription(
                "show_cluster_instance", "One member of a cluster.", rule: "cluster:show_instance",
                answer: .document("instance", .instance)), member),
        Route(
            "GET", "/clusters/{id}/root",
            RouteDescription(
                "show_cluster_root", "Whether root was enabled; no datastore has it for clusters.",
                rule: "cluster:extension:root:index", answer: .object(["rootEnabled": .boolean])), showRoot),
        Route(
            "POST", "/clusters/{id}/root",
            RouteDescription(
                "enable_cluster_root", "Enables root; no datastore has it for clusters.",
                rule: "cluster:extension:root:create", body: .object(["password": .string()]), isBodyOptional: true,
                answer: .document("user", .object(["name": .string(), "password": .string()]))), enableRoot),
    ]

    /// `{"clusters": […], "links"?}`, the caller's project only.
    @Sendable private static func list(_ call: APICall) async throws -> APIResponse {
        try call.require("cluster:index")
        let query = Query(call.request.query)
        let size = call.configuration.pageSize
        let limit = try Page.limit(query, standard: size, maximum: size)
        let projectID = call.context.projectID
        var (clusters, members) = try await call.services.store.read { transaction in
            let page = try transaction.clusters.page(
                projectID: projectID, after: Page.marker(query), limit: limit + 1)
            return (page, try transaction.clusters.members(of: page.map(\.id)))
        }
        let next = clusters.count > limit ? clusters[limit - 1].id : nil
        clusters = Array(clusters.prefix(limit))
        let byCluster = Dictionary(grouping: members, by: \.clusterID)
        let view = ClusterView(call)
        return .json(reserving: 256 + clusters.count * 1024) { writer in
            writer.object { writer in
                writer.key("clusters")
                writer.array { writer in
                    for cluster in clusters { view.write(cluster, byCluster[cluster.id] ?? [], &writer) }
                }
                if let next { call.writeNextLink(&writer, query, marker: next) }
            }
        }
    }

    /// `{"cluster": {…}}`
    @Sendable private static func show(_ call: APICall) async throws -> APIResponse {
        let id = call.parameter(0)
        let (cluster, members) = try await call.services.store.read { transaction in
            (
                try call.cluster(id, rule: "cluster:show", transaction),
                try transaction.memberSummaries(of: id)
            )
        }
        return ClusterView(call).document(cluster, members)
    }

    /// `{"instance": {…}}`
    @Sendable private static func member(_ call: APICall) async throws -> APIResponse {
        let (id, instanceID) = (call.parameter(0), call.parameter(1))
        let summary = try await call.services.store.read { transaction in
            let cluster = try call.cluster(id, rule: "cluster:show_instance", transaction)
            guard let summary = try transaction.instances.summary(instanceID),
                summary.instance.membership?.clusterID == cluster.id
            else { throw APIFault.missing(instanceID) }
            return summary
        }
        return InstanceRoutes.document(summary, .show, call)
    }

    /// 202, empty. The members go by flows of their own, and the cluster with the last of them.
    @Sendable static func delete(_ call: APICall) async throws -> APIResponse {
        let id = call.parameter(0)
        let hasWork = try await call.services.store.write(.durable) { transaction in
            let cluster = try call.cluster(id, rule: "cluster:delete", transaction)
            try APICall.requireIdle(cluster, allowing: [.deleting])
            try transaction.clusters.setTask(id, to: .deleting, now: call.now)
            var hasWork = false
            for summary in try transaction.memberSummaries(of: id) where summary.instance.task != .deleting {
                let instance = summary.instance
                try transaction.instances.setTask(
                    instance.id, to: .deleting, expecting: [instance.task], now: call.now)
                try transaction.journal.insert(
                    call.journal(
                        .deleteInstance, resourceID: instance.id, projectID: instance.projectID,
                        host: instance.computeHost, ["instance_id": .string(instance.id)]))
                hasWork = true
            }
            try transaction.clusters.finishDeletion(id, now: call.now)
            return hasWork
        }
        if hasWork { await call.wakeTaskManager() }
        return .accepted
    }

    // MARK: - Root

    @Sendable private static func showRoot(_ call: APICall) async throws -> APIResponse {
        try await refuseRoot(call, "show_root", rule: "cluster:extension:root:index")
    }

    @Sendable private static func enableRoot(_ call: APICall) async throws -> APIResponse {
        if let body = try await call.optionalBody() { try Schema.object(["password": .string()]).validate(body) }
        return try await refuseRoot(call, "enable_root", rule: "cluster:extension:root:create")
    }

    /// Looked up by the URL's project, also for administrators. Source: REST contract §1.10, §5.2.
    private static func refuseRoot(_ call: APICall, _ operation: String, rule: String) async throws -> APIResponse {
        try call.require(rule)
        let id = call.parameter(0)
        let cluster = try await call.services.store.read { try $0.clusters.find(id) }
        guard let cluster, cluster.deleted == nil, cluster.projectID == call.context.projectID else {
            throw APIFault(.modelNotFound, "DBCluster Not Found")
        }
        throw APIFault(400, "The '\(operation)' operation is not supported for cluster.")
    }
}
