// SPDX-License-Identifier: Apache-2.0

import API
import Messaging
import Model
import PluginHost
import StateStore
import TestSupport
import Testing

@Suite("Dry runs")
struct DryRunTests {
    /// Every row of every table, as text.
    private func dump(_ api: APIFixture) async throws -> [String] {
        let store = try api.counting()
        var rows: [String] = []
        for table in try await store.texts("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name") {
            let columns = try await store.texts("SELECT name FROM pragma_table_info('\(table)')")
            let row = columns.map { "quote(\"\($0)\")" }.joined(separator: " || '|' || ")
            rows += try await store.texts("SELECT \(row) FROM \"\(table)\"").map { "\(table): \($0)" }.sorted()
        }
        return rows
    }

    private struct World {
        var instance: String
        var backup: String
        var group: String
    }

    private func world(_ api: APIFixture) async throws -> World {
        let instance = try await api.insertRunning()
        let made = await api.send(
            "POST", "/configurations",
            body: ["configuration": ["name": "g", "values": [:], "datastore": ["type": "mariadb", "version": "11.4"]]])
        return World(
            instance: instance, backup: try await api.insertBackup(instance: instance),
            group: made.json["configuration"]?["id"]?.stringValue ?? "none")
    }

    @Test("no route that changes something does so in a dry run; it answers with a plan or its own fault")
    func everyRoute() async throws {
        try await withAPI { api in
            let world = try await world(api)
            api.bus.onCall { _, method, _ throws(MessagingError) in
                Issue.record("\(method) was sent to a guest")
                return .null
            }
            let bodies: [String: JSONValue] = [
                "POST /instances": CreateInstanceTests.body(),
                "PUT /instances/{id}": ["instance": ["name": "other"]],
                "PATCH /instances/{id}": ["instance": ["name": "other"]],
                "POST /instances/{id}/action": ["restart": [:]],
                "POST /backups": ["backup": ["name": "b", "instance": .string(world.instance)]],
                "POST /configurations": [
                    "configuration": [
                        "name": "h", "values": [:], "datastore": ["type": "mariadb", "version": "11.4"],
                    ]
                ],
                "PUT /mgmt/quotas/{project}": ["quotas": ["instances": 3]],
                "POST /mgmt/instances/{id}/action": ["stop": [:]],
            ]
            let before = try await dump(api)
            var planned: Set<String> = []
            for name in APIResponder.coreRouteNames(hasConstantRoute: false) where !name.hasPrefix("GET ") {
                let words = name.split(separator: " ")
                let method = words[0] == "*" ? "POST" : String(words[0])
                let noun = words[1].split(separator: "/").first
                let id =
                    noun == "backups" ? world.backup : noun == "configurations" ? world.group : world.instance
                let path = words[1].split(separator: "/").map { part in
                    switch part {
                    case "{version}", "{version_id}": APIFixture.versionID
                    case "{datastore}", "{datastore_id}": APIFixture.datastoreID
                    case _ where part.hasPrefix("{"): id
                    default: String(part)
                    }
                }.joined(separator: "/")
                let body: JSONValue? = method == "DELETE" ? nil : bodies[name] ?? [:]
                let answer = await api.send(method, "/\(path)?dry_run=true", as: "admin", body: body)
                let plan = answer.json["plan"]?.arrayValue
                #expect(plan != nil || (400..<600).contains(answer.status), "\(name): \(answer.status)")
                if plan != nil {
                    #expect(answer.status == 200)
                    planned.insert(name)
                }
                #expect(answer.status != 500, "\(name)")
                #expect(try await dump(api) == before, "\(name) wrote something")
            }
            let wanted = Set(bodies.keys).union(["DELETE /instances/{id}", "DELETE /backups/{id}"])
            #expect(wanted.subtracting(planned).isEmpty, "\(wanted.subtracting(planned)) have no plan")
            #expect(api.bus.casts.isEmpty)
        }
    }

    @Test("a plan has the flow's steps, with the seconds that they took lately")
    func plan() async throws {
        try await withAPI { api in
            let now = api.clock.now
            for (number, seconds) in [3, 1, 2].enumerated() {
                let id = "o\(number)"
                try await api.store.write(.relaxed) { transaction in
                    try transaction.journal.insert(
                        JournalRecord(
                            id: id, requestID: "r", projectID: "p", userID: "u", flow: "create_instance",
                            resourceID: id, input: ["instance_id": .string(id)], created: now))
                    let row = try transaction.journal.claim(
                        owner: "w", host: nil, lease: .seconds(9), excluding: [], stealing: [])
                    let fence = row?.fence ?? 0
                    try transaction.journal.record(
                        id, fence: fence, step: "boot", isDone: false, scratch: [:], attempt: 1, now: now)
                    try transaction.journal.record(
                        id, fence: fence, step: "volume", isDone: false, scratch: [:], attempt: 1,
                        now: now + .seconds(seconds))
                    try transaction.journal.finish(id, fence: fence, state: .done, error: nil, now: now)
                }
            }
            let answer = await api.send(
                "POST", "/instances?dry_run=true", body: CreateInstanceTests.body(),
                headers: [("idempotency-key", "k")])
            #expect(answer.status == 200)
            let plan = answer.json["plan"]?.arrayValue ?? []
            #expect(plan.compactMap { $0["step"]?.stringValue } == FlowName.createInstance.plan.map(\.step))
            #expect(plan.first { $0["step"] == "boot" }?["seconds"] == .double(2))
            #expect(plan.first { $0["step"] == "prepare" }?["seconds"] == .null)
            #expect(plan.allSatisfy { $0["effect"]?.stringValue?.isEmpty == false })
        }
    }

    @Test("checks are those of the real call")
    func checks() async throws {
        try await withAPI { api in
            let id = try await api.insertRunning()
            expectFault(
                await api.send("DELETE", "/instances/\(id)?dry_run=maybe"), 400,
                "The query parameter 'dry_run' must be true or false.")
            #expect(await api.send("DELETE", "/instances/\(id)?dry_run=true", as: "bob").status == 404)
            #expect(await api.send("POST", "/instances?dry_run=true", body: [:]).status == 400)
            let large = CreateInstanceTests.body(["volume": ["size": 9]])
            var answers: [Int] = []
            for _ in 0..<6 { answers.append(await api.send("POST", "/instances?dry_run=true", body: large).status) }
            #expect(answers == Array(repeating: 200, count: 6), "a dry run uses up no quota")
            for _ in 0..<4 { _ = await api.send("POST", "/instances", body: large) }
            let over = await api.send("POST", "/instances?dry_run=true", body: large)
            #expect(over.status == 413, "\(over.fault)")
            let rename = await api.send("PUT", "/instances/\(id)?dry_run=true", body: ["instance": ["name": "x"]])
            let step = rename.json["plan"]?.arrayValue?.first
            #expect(step?["step"] == "update_instance" && step?["seconds"] == .null)
            #expect(await api.send("GET", "/instances?dry_run=maybe").status == 200)
            #expect(await api.send("DELETE", "/instances/\(id)?dry_run=false").status == 202)
        }
    }

    @Test("a plugin's route is planned when its manifest says so, up to the first thing for a guest")
    func plugins() async throws {
        try await withAPI { api in
            let id = try await api.insertRunning()
            api.plugins.setRoutes([("POST", "/instances/{id}/databases")])
            api.plugins.onRoute { _, request, control, context throws(PluginError) in
                _ = try await control.perform(
                    "guest.call",
                    [
                        "instance_id": request["parameters"]?["id"] ?? .null, "verb": "create_database",
                        "arguments": ["databases": []],
                    ], context: context)
                return ["status": 202]
            }
            api.bus.onCall { _, method, _ throws(MessagingError) in
                Issue.record("\(method) was sent to a guest")
                return .null
            }
            let path = "/instances/\(id)/databases?dry_run=true"
            let refused = await api.send("POST", path, body: [:])
            #expect(refused.status == 501 && refused.fault.message.contains(TestPlugins.extensionID))
            api.plugins.setPlugins { plugins in
                for index in plugins.indices { plugins[index].canDryRun = true }
            }
            let answer = await api.send("POST", path, body: [:])
            #expect(answer.status == 200, "\(answer.fault)")
            #expect(answer.json["plan"]?.arrayValue?.map { $0["step"] } == ["create_database"])
            #expect(await api.send("POST", path, as: "bob", body: [:]).json["plan"] == nil)
        }
    }
}
