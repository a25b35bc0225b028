// SPDX-License-Identifier: Apache-2.0

import API
import Model
import StateStore
import TestSupport
import Testing

@Suite("Backup strategies")
struct BackupStrategyTests {
    private func body(_ container: String, _ instance: String? = nil) -> JSONValue {
        var strategy: [String: JSONValue] = ["swift_container": .string(container)]
        if let instance { strategy["instance_id"] = .string(instance) }
        return ["backup_strategy": .object(strategy)]
    }

    private var project: String { TestIdentity.projects["alice"] ?? "" }

    @Test("one a project and one an instance; the second takes the first one's place")
    func life() async throws {
        try await withAPI { api in
            let id = try await api.insertRunning()
            let made = await api.send("POST", "/backup_strategies", body: body("first"))
            #expect(made.status == 202)
            #expect(
                made.json["backup_strategy"] == [
                    "project_id": .string(project), "instance_id": "", "backend": "swift", "swift_container": "first",
                ])
            #expect(await api.send("POST", "/backup_strategies", body: body("second")).status == 202)
            #expect(await api.send("POST", "/backup_strategies", body: body("own", id)).status == 202)
            func containers(_ query: String = "", as token: String = "alice") async -> [JSONValue] {
                let list = await api.send("GET", "/backup_strategies" + query, as: token).json
                return (list["backup_strategies"]?.arrayValue ?? []).map { $0["swift_container"] ?? .null }
            }
            #expect(await containers() == ["second", "own"])
            #expect(await containers("?instance_id=\(id)") == ["own"])
            #expect(await containers("?project_id=\(project)", as: "admin") == ["second", "own"])
            #expect(await containers(as: "bob") == [])
            for query in ["", "?instance_id=\(id)", ""] {
                #expect(await api.send("DELETE", "/backup_strategies" + query).status == 202)
            }
            #expect(await containers() == [])
        }
    }

    @Test("other projects' are not told, and instances must be the caller's")
    func refusals() async throws {
        try await withAPI { api in
            let bobs = try await api.insertRunning(of: "bob")
            for method in ["GET", "DELETE"] {
                let other = TestIdentity.projects["bob"] ?? ""
                expectFault(
                    await api.send(method, "/backup_strategies?project_id=\(other)"), 403,
                    "Operation not allowed for tenant \(project).")
            }
            expectFault(
                await api.send("POST", "/backup_strategies", body: body("c", bobs)), 404,
                "Resource \(bobs) cannot be found.")
            let administrators = await api.send("POST", "/backup_strategies", as: "admin", body: body("c", bobs))
            #expect(
                administrators.json["backup_strategy"]?["project_id"]?.stringValue == TestIdentity.projects["bob"])
            for name in ["a/b", "a b", "..a~", "aaaaaaaa-0000-4000-8000-000000000001"] {
                #expect(await api.send("POST", "/backup_strategies", body: body(name)).status == 400, "\(name)")
            }
            #expect(
                await api.send(
                    "POST", "/backup_strategies", body: ["backup_strategy": ["swift_container": "c", "x": 1]]
                ).status == 400)
        }
    }

    @Test("a backup goes where it says, else where its instance's, else its project's strategy says")
    func effect() async throws {
        try await withAPI { api in
            let (first, second) = (try await api.insertRunning(), try await api.insertRunning())
            func container(_ instance: String, _ named: String? = nil) async throws -> (row: String?, input: JSONValue?)
            {
                var backup: [String: JSONValue] = ["name": "b", "instance": .string(instance)]
                if let named { backup["swift_container"] = .string(named) }
                let answer = await api.send("POST", "/backups", body: ["backup": .object(backup)])
                let id = try #require(answer.json["backup"]?["id"]?.stringValue)
                return try await api.store.write(.relaxed) { [now = api.clock.now] transaction in
                    let row = try transaction.backups.find(id)?.container
                    let input = try transaction.journal.live(resourceID: id).first?.input["container"]
                    try transaction.backups.update(
                        id, state: .failed, sizeBytes: nil, checksum: nil, location: nil, position: nil, now: now)
                    return (row, input)
                }
            }
            #expect(try await container(first) == (nil, nil))
            _ = await api.send("POST", "/backup_strategies", body: body("all"))
            _ = await api.send("POST", "/backup_strategies", body: body("own", first))
            #expect(try await container(first) == ("own", "own"))
            #expect(try await container(second) == ("all", "all"))
            #expect(try await container(second, "named") == ("named", "named"))
        }
    }
}
