// SPDX-License-Identifier: Apache-2.0

import API
import Model
import PluginHost
import StateStore
import TestSupport
import Testing

@Suite("Clusters")
struct ClusterTests {
    private struct Made {
        var id: String
        var members: [String]
    }

    /// A cluster with two members and one that only serves it.
    private func insert(
        _ api: APIFixture, of token: String = "alice", task: ClusterTask = .none
    ) async throws -> Made {
        let id = SystemRandomSource().uuid()
        let record = ClusterRecord(
            id: id, name: "ring", projectID: TestIdentity.projects[token] ?? "",
            datastoreVersionID: APIFixture.versionID, task: task, created: api.clock.now)
        try await api.store.write(.relaxed) { try $0.clusters.insert(record) }
        var members: [String] = []
        for (number, type) in ["member", "member", "router"].enumerated() {
            members.append(
                try await api.insertRunning(of: token, name: "ring-\(number)") {
                    $0.membership = ClusterMembership(clusterID: id, shardID: "s\(number)", type: type)
                })
        }
        return Made(id: id, members: members)
    }

    private static let body: JSONValue = [
        "cluster": [
            "name": "c", "datastore": ["type": "mariadb", "version": "11.4"],
            "instances": [["flavorRef": "1", "volume": ["size": 1]], ["flavorRef": "1", "volume": ["size": 1]]],
        ]
    ]

    @Test("list and show have the members that tenants work with; administrators' have all")
    func views() async throws {
        try await withAPI { api in
            let made = try await insert(api)
            let members = made.members.prefix(2).sorted()
            func ids(_ cluster: JSONValue?) -> [String] {
                (cluster?["instances"]?.arrayValue ?? []).compactMap { $0["id"]?.stringValue }
            }
            let list = await api.send("GET", "/clusters")
            #expect(list.status == 200)
            #expect(ids(list.json["clusters"]?[0]) == members)
            #expect(list.json["clusters"]?[0]?["task"]?["name"] == "NONE")
            let shown = await api.send("GET", "/clusters/\(made.id)").json["cluster"]
            #expect(ids(shown) == members)
            let first = shown?["instances"]?[0]
            #expect(first?["status"] == "ACTIVE" && first?["volume"] == ["size": 2] && first?["flavor"]?["id"] == "1")
            #expect(first?["ip"] == [["address": "127.1.2.3", "type": "private"]])
            #expect(shown?["datastore"] == ["type": "mariadb", "version": "11.4"])
            #expect(shown?["tenant_id"] == nil)
            let managed = await api.send("GET", "/mgmt/clusters/\(made.id)", as: "admin").json["cluster"]
            #expect(ids(managed).count == 3)
            #expect(managed?["tenant_id"]?.stringValue == TestIdentity.projects["alice"])
            #expect(managed?["deleted"] == false)
            #expect(
                await api.send("GET", "/mgmt/clusters", as: "admin").json["clusters"]?.arrayValue?.count == 1)
            let member = await api.send("GET", "/clusters/\(made.id)/instances/\(members[0])").json["instance"]
            #expect(member?["cluster_id"]?.stringValue == made.id && member?["shard_id"] != nil)
            let other = try await api.insertRunning()
            expectFault(
                await api.send("GET", "/clusters/\(made.id)/instances/\(other)"), 404,
                "Resource \(other) cannot be found.")
        }
    }

    @Test("pages go by id")
    func pages() async throws {
        var configuration = APIFixture.configuration
        configuration.pageSize = 2
        try await withAPI(configuration) { api in
            for _ in 0..<3 { _ = try await insert(api) }
            let first = await api.send("GET", "/clusters").json
            #expect(first["clusters"]?.arrayValue?.count == 2)
            let href = try #require(first["links"]?[0]?["href"]?.stringValue)
            let query = href.split(separator: "?").last.map(String.init) ?? ""
            let second = await api.send("GET", "/clusters?" + query).json
            #expect(second["clusters"]?.arrayValue?.count == 1 && second["links"] == nil)
        }
    }

    @Test("another project's cluster is a missing one; an administrator's is not")
    func projects() async throws {
        try await withAPI { api in
            let made = try await insert(api, of: "bob")
            let text = "Cluster '\(made.id)' cannot be found."
            expectFault(await api.send("GET", "/clusters/\(made.id)"), 404, text)
            expectFault(await api.send("DELETE", "/clusters/\(made.id)"), 404, text)
            expectFault(await api.send("POST", "/clusters/\(made.id)", body: ["restart": [:]]), 404, text)
            #expect(await api.send("GET", "/clusters/\(made.id)", as: "admin").status == 200)
            #expect(await api.send("GET", "/clusters").json["clusters"] == [])
            for (method, path) in [
                ("GET", "/mgmt/clusters"), ("GET", "/mgmt/clusters/\(made.id)"),
                ("POST", "/mgmt/clusters/\(made.id)/action"),
            ] {
                let body: JSONValue? = method == "POST" ? ["reset-task": [:]] : nil
                expectFault(
                    await api.send(method, path, body: body), 401, "User does not have admin privileges.")
            }
            expectFault(await api.send("GET", "/mgmt/clusters/none", as: "admin"), 404, "DBCluster Not Found")
        }
    }

    @Test("a datastore whose plugin does not offer clusters has none")
    func create() async throws {
        try await withAPI { api in
            expectFault(
                await api.send("POST", "/clusters", body: Self.body), 501,
                "Clusters not supported for mariadb-11.4.")
            expectFault(
                await api.send("POST", "/mgmt/clusters", body: Self.body), 501,
                "Clusters not supported for mariadb-11.4.")
            expectFault(
                await api.send("POST", "/clusters", body: ["cluster": ["name": "c", "instances": []]]), 400,
                "Validation error: cluster 'datastore' is a required property")
            api.plugins.setPlugins { $0[0].provides.append("trove.cluster/1") }
            func message(_ instances: JSONValue) async -> String {
                var cluster = Self.body["cluster"]?.objectValue ?? [:]
                cluster["instances"] = instances
                return await api.send("POST", "/clusters", body: ["cluster": .object(cluster)]).fault.message
            }
            let (one, two): (JSONValue, JSONValue) = (["size": 1], ["size": 2])
            #expect(await message([]) == "The number of instances for your initial cluster must be at least 1.")
            #expect(await message([["flavorRef": "x1"]]) == "Resource x1 cannot be found.")
            #expect(
                await message([["flavorRef": "1", "volume": one], ["flavorRef": "big", "volume": one]])
                    == "The flavor for each instance in a cluster must be the same.")
            #expect(
                await message([["flavorRef": "1"]])
                    == "A volume size is required for each instance in the cluster.")
            #expect(
                await message([["flavorRef": "1", "volume": one], ["flavorRef": "1", "volume": two]])
                    == "The volume size for each instance in a cluster must be the same.")
            #expect(await api.send("POST", "/clusters", body: Self.body).status == 501)
        }
    }

    @Test(
        "actions that no plugin offers",
        arguments: [
            (["restart": [:], "shrink": []], "Action request should have exactly one action specified in body"),
            ([:], "Action request should have exactly one action specified in body"),
            (["add_shard": [:]], "Action add_shard not supported"),
            (["grow": []], "No instances specified for grow operation."),
            (["grow": [["flavorRef": "1"]]], "Action 'grow' not supported"),
            (["shrink": [["id": "aaaaaaaa-0000-4000-8000-000000000001"]]], "Action 'shrink' not supported"),
            (["upgrade": ["datastore_version": "12"]], "Action 'upgrade' not supported"),
            (["restart": [:]], "Action 'restart' not supported"),
            (["configuration_detach": [:]], "Action 'configuration_detach' not supported"),
            (
                ["upgrade": [:]], "Validation error: upgrade 'datastore_version' is a required property"
            ),
        ] as [(JSONValue, String)])
    func actions(_ body: JSONValue, _ message: String) async throws {
        try await withAPI { api in
            let made = try await insert(api)
            expectFault(await api.send("POST", "/clusters/\(made.id)", body: body), 400, message)
        }
    }

    @Test("a reset forgets the tasks of the cluster and its members")
    func reset() async throws {
        try await withAPI { api in
            let made = try await insert(api, task: .growing)
            expectFault(
                await api.send("POST", "/clusters/\(made.id)", body: ["reset-status": [:]]), 403,
                "Policy doesn't allow cluster:reset-status to be performed.")
            expectFault(
                await api.send("DELETE", "/clusters/\(made.id)"), 422,
                "This action cannot be performed on the cluster while the current cluster task is 'GROWING_CLUSTER'.")
            let answer = await api.send("POST", "/clusters/\(made.id)", as: "admin", body: ["reset-status": [:]])
            #expect(answer.status == 202 && answer.json["cluster"]?["task"]?["name"] == "NONE")
            let member = await api.send("GET", "/instances/\(made.members[0])").json["instance"]
            #expect(member?["operating_status"] == "ERROR")
            #expect(
                await api.send("POST", "/clusters/\(made.id)", body: ["reset-status": ["force_delete": true]]).status
                    == 202)
            expectFault(
                await api.send("POST", "/mgmt/clusters/\(made.id)/action", as: "admin", body: ["x": [:]]), 400,
                "Invalid cluster action requested.")
            #expect(
                await api.send("POST", "/mgmt/clusters/\(made.id)/action", as: "admin", body: ["reset-task": [:]])
                    .status == 202)
        }
    }

    @Test("a delete takes the members along, and the cluster is gone with the last of them")
    func delete() async throws {
        try await withAPI { api in
            let made = try await insert(api)
            for _ in 0..<2 { #expect(await api.send("DELETE", "/clusters/\(made.id)").status == 202) }
            let rows = try await api.store.read { try $0.journal.live(resourceID: nil) }
            #expect(Set(rows.map(\.resourceID)) == Set(made.members))
            #expect(rows.allSatisfy { $0.flow == FlowName.deleteInstance.rawValue })
            #expect(
                await api.send("GET", "/clusters/\(made.id)").json["cluster"]?["task"]?["name"] == "DELETING")
            for id in made.members {
                try await api.store.write(.relaxed) { [now = api.clock.now] transaction in
                    try transaction.instances.markDeleted(id, now: now)
                    try transaction.clusters.finishDeletion(made.id, now: now)
                }
                let isGone = await api.send("GET", "/clusters/\(made.id)").status == 404
                #expect(isGone == (id == made.members.last))
            }
            let managed = await api.send("GET", "/mgmt/clusters/\(made.id)", as: "admin").json["cluster"]
            #expect(managed?["deleted"] == true && managed?["deleted_at"] != nil)
            #expect(
                await api.send("GET", "/mgmt/clusters?deleted=false", as: "admin").json["clusters"] == [])
        }
    }

    @Test("a member is worked on through its cluster, and lists have it when asked")
    func members() async throws {
        try await withAPI { api in
            let made = try await insert(api)
            let id = made.members[0]
            let text = "Operation not supported for instances that are part of a cluster."
            expectFault(await api.send("DELETE", "/instances/\(id)"), 501, text)
            expectFault(await api.send("POST", "/instances/\(id)/action", body: ["restart": [:]]), 501, text)
            expectFault(
                await api.send("POST", "/backups", body: ["backup": ["name": "b", "instance": .string(id)]]), 501, text)
            for (token, path) in [
                ("alice", "/instances"), ("alice", "/instances/detail"), ("admin", "/mgmt/instances"),
            ] {
                for (query, count) in [("", 0), ("?include_clustered=false", 0), ("?include_clustered=True", 3)] {
                    let answer = await api.send("GET", path + query, as: token).json
                    #expect(answer["instances"]?.arrayValue?.count == count, "\(path)\(query)")
                }
            }
        }
    }

    @Test("root of a cluster is looked up in the URL's project, and not supported")
    func root() async throws {
        try await withAPI { api in
            let made = try await insert(api)
            let path = "/clusters/\(made.id)/root"
            expectFault(
                await api.send("GET", path), 400, "The 'show_root' operation is not supported for cluster.")
            expectFault(
                await api.send("POST", path), 400, "The 'enable_root' operation is not supported for cluster.")
            expectFault(await api.send("DELETE", path), 404, "The resource could not be found.")
            expectFault(await api.send("GET", path, as: "admin"), 404, "DBCluster Not Found")
        }
    }
}
