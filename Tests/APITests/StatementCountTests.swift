// SPDX-License-Identifier: Apache-2.0

import API
import Model
import StateStore
import TestSupport
import Testing

/// Requests cost the state store one statement each, two at most.
@Suite("Statements a request")
struct StatementCountTests {
    @Test(
        "a read is two statements at most, or four of management",
        arguments: SharedState.allCases)
    func everyRead(state: SharedState) async throws {
        try await withTwoAPIs(state) { api, _ in
            let store = try api.counting()
            let counted = api.with(store: store)
            let instance = try await api.insertRunning()
            let backup = try await api.insertBackup(instance: instance)
            let group = SystemRandomSource().uuid()
            try await api.store.write(.relaxed) { transaction in
                try transaction.configurations.insert(
                    ConfigurationRecord(
                        id: group, name: "g", description: nil, projectID: TestIdentity.projects["alice"] ?? "",
                        datastoreVersionID: APIFixture.versionID, created: api.clock.now))
            }
            let ids = [
                "/instances/{id}": instance, "/backups/{id}": backup, "/configurations/{id}": group,
                "/mgmt/instances/{id}": instance, "/flavors/{id}": "1", "/datastores/{datastore}": "mariadb",
                "/versions/{version}": APIFixture.versionID, "/datastore-versions/{id}": APIFixture.versionID,
            ]
            let document = await api.raw("GET", "/v1.0/openapi.json").json
            var answered = 0
            for (path, verbs) in document["paths"]?.objectValue ?? [:] where verbs["get"] != nil {
                var target = path
                for (part, id) in ids {
                    let stem = part.prefix { $0 != "{" }
                    target = target.replacing(part, with: stem + id)
                }
                let response = await counted.send("GET", target, as: path.hasPrefix("/mgmt") ? "admin" : "alice")
                let statements = store.take()
                if response.status == 200 { answered += 1 }
                // Parameters are found by datastore, version and name; events by instance, position and page; quotas are limits,
                // instances, those that grow and backups; what uses a plugin stands in four tables.
                let isWide = path.contains("/parameters") || path.hasSuffix("/events")
                let isWidest = path.hasPrefix("/mgmt/plugins") || path.contains("/quotas")
                let most = isWidest ? 4 : isWide ? 3 : 2
                #expect(statements <= most, "\(target): \(statements) statements, \(response.status)")
            }
            #expect(answered >= 20, "\(answered)")
        }
    }

    @Test("lists and shows are one statement, however many instances there are")
    func reads() async throws {
        try await withAPI { api in
            let store = try api.counting()
            let counted = api.with(store: store)
            for _ in 0..<30 { try await api.insertRunning() }
            let id = try await api.insertRunning()
            let backup = try await api.insertBackup(instance: id)
            let first = await counted.send("GET", "/instances?limit=20")
            #expect(store.take() == 1)
            #expect(first.json["instances"]?.arrayValue?.count == 20)
            for path in [
                "/instances", "/instances?limit=1", "/instances/detail?limit=20", "/instances/\(id)", "/backups",
                "/backups/\(backup)",
            ] {
                #expect(await counted.send("GET", path).status == 200, "\(path)")
                #expect((1...2).contains(store.take()), "\(path)")
            }
            #expect(await counted.raw("GET", "/healthcheck").status == 200)
            #expect(store.take() <= 1)
        }
    }
}
