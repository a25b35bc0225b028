// SPDX-License-Identifier: Apache-2.0

import API
import Model
import StateStore
import Testing

@Suite("Quotas")
struct QuotaTests {
    private static let alice = TestIdentity.projects["alice"] ?? ""
    private static let bob = TestIdentity.projects["bob"] ?? ""

    private static func rows(_ response: APIResponse) -> [String: [Int]] {
        let rows = response.json["quotas"]?.arrayValue ?? []
        return Dictionary(
            rows.map { row in
                (
                    row["resource"]?.stringValue ?? "",
                    ["in_use", "reserved", "limit"].map { row[$0]?.intValue ?? -99 }
                )
            }, uniquingKeysWith: { first, _ in first })
    }

    @Test("a project sees its limits and what its live rows use; others' are for administrators")
    func show() async throws {
        try await withAPI { api in
            let id = try await api.insertRunning()
            try await api.insertRunning(change: { $0.flavorID = "big" })
            _ = try await api.insertBackup(instance: id)
            try await api.insertRunning(of: "bob")
            let own = await api.send("GET", "/mgmt/quotas/\(Self.alice)")
            #expect(own.status == 200)
            let expected = [
                "instances": [2, 0, 10], "volumes": [4, 0, 40], "backups": [1, 0, 50], "ram": [2560, 0, -1],
            ]
            #expect(Self.rows(own) == expected)
            #expect(Self.rows(await api.send("GET", "/mgmt/quotas/\(Self.alice)", as: "admin")) == expected)
            expectFault(
                await api.send("GET", "/mgmt/quotas/\(Self.alice)", as: "bob"), 403,
                "Operation not allowed for tenant \(Self.bob).")
            let nobodys = await api.send("GET", "/mgmt/quotas/nobodys", as: "admin")
            #expect(Self.rows(nobodys)["instances"] == [0, 0, 10])
        }
    }

    @Test("an administrator's limits hold at once, and only what was changed is answered")
    func update() async throws {
        try await withAPI { api in
            let path = "/mgmt/quotas/\(Self.alice)"
            let body: JSONValue = ["quotas": ["instances": 1, "backups": -1, "ram": .null, "xmlns": "http://x"]]
            let response = await api.send("PUT", path, as: "admin", body: body)
            #expect(response.status == 200)
            #expect(response.json == ["quotas": ["instances": 1, "backups": -1]])
            let rows = Self.rows(await api.send("GET", path))
            #expect(rows["instances"] == [0, 0, 1] && rows["backups"] == [0, 0, -1] && rows["volumes"] == [0, 0, 40])
            #expect(await api.send("POST", "/instances", body: CreateInstanceTests.body()).status == 200)
            expectFault(
                await api.send("POST", "/instances", body: CreateInstanceTests.body()), 413,
                "Quota exceeded for resources: ['instances'].")
            #expect(Self.rows(await api.send("GET", path))["instances"] == [1, 0, 1])
            #expect(await api.send("GET", "/limits").json["limits"]?[0]?["max_instances"] == 1)
        }
    }

    @Test("what cannot be a limit is refused, and changes nothing")
    func refusals() async throws {
        try await withAPI { api in
            let path = "/mgmt/quotas/\(Self.alice)"
            expectFault(
                await api.send("PUT", path, body: ["quotas": ["instances": 1]]), 401,
                "User does not have admin privileges.")
            expectFault(
                await api.send("PUT", path, as: "admin", body: ["quotas": ["instances": 5, "snapshots": 1]]), 404,
                "Unknown quota resources snapshots.")
            expectFault(
                await api.send("PUT", path, as: "admin", body: ["quotas": ["instances": 5, "volumes": -2]]), 400,
                "Quota limit '-2' for 'volumes' is too small - must be at least '-1'.")
            for body in [
                ["quotas": ["instances": "5"]], ["quotas": ["instances": 1.5]], ["quotas": ["instances": true]],
                ["quotas": ["instances": 4_294_967_296]], ["quotas": 5], [:], [1],
            ] as [JSONValue] {
                let response = await api.send("PUT", path, as: "admin", body: body)
                #expect(response.status == 400, "\(body.text)")
                #expect(response.fault.message.hasPrefix("Validation error: "), "\(response.fault.message)")
            }
            #expect(await api.send("PUT", path, as: "admin").status == 400)
            let long = String(repeating: "p", count: 65)
            expectFault(
                await api.send("PUT", "/mgmt/quotas/\(long)", as: "admin", body: ["quotas": ["ram": 1]]), 400,
                "A project's id has at most 64 characters.")
            #expect(Self.rows(await api.send("GET", path))["instances"] == [0, 0, 10])
        }
    }

    @Test(
        "of fifty creates at once through two API processes exactly the quota's number is admitted",
        arguments: SharedState.allCases)
    func concurrency(state: SharedState) async throws {
        try await withTwoAPIs(state) { first, second in
            let path = "/mgmt/quotas/\(Self.alice)"
            let set = await first.send("PUT", path, as: "admin", body: ["quotas": ["instances": 7]])
            #expect(set.status == 200)
            let answers = await withTaskGroup(of: APIResponse.self) { group in
                for number in 0..<50 {
                    group.addTask { await create(number % 2 == 0 ? first : second) }
                }
                return await group.reduce(into: []) { $0.append($1) }
            }
            #expect(answers.count { $0.status == 200 } == 7)
            let refused = answers.filter { $0.status != 200 }
            #expect(refused.count == 43)
            for answer in refused { expectFault(answer, 413, "Quota exceeded for resources: ['instances'].") }
            #expect(Self.rows(await second.send("GET", path))["instances"] == [7, 0, 7])
            let count = try await first.count()
            #expect(count.instances == 7 && count.journal == 7)
        }
    }

    @concurrent
    private func create(_ api: APIFixture) async -> APIResponse {
        await api.send("POST", "/instances", body: CreateInstanceTests.body())
    }
}
