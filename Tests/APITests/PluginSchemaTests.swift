// SPDX-License-Identifier: Apache-2.0

import Model
import PluginHost
import Testing

@testable import API

@Suite("Places and schemas of plugins' routes")
struct PluginSchemaTests {
    private static let schema: JSONValue = [
        "type": "object", "required": ["name"], "properties": ["name": ["type": "string", "minLength": 1]],
    ]

    private func mount(_ api: APIFixture) {
        let id = TestPlugins.extensionID
        func route(_ method: String, _ path: String, _ schema: JSONValue? = nil) -> PluginRoute {
            PluginRoute(
                pluginID: id, index: 0, method: method, path: path, policy: "x:jobs", summary: "Jobs",
                requestSchema: schema, responseSchema: ["type": "object"])
        }
        api.plugins.mount([
            route("POST", "/x/\(id)/jobs", Self.schema), route("GET", "/x/\(id)/jobs/{job}"),
            route("GET", "/clusters/{id}/shards"),
        ])
    }

    @Test("routes below /x and /clusters are served")
    func places() async throws {
        try await withAPI { api in
            mount(api)
            let job = await api.send("GET", "/x/\(TestPlugins.extensionID)/jobs/7")
            #expect(job.json["parameters"] == ["job": "7"])
            let shards = await api.send("GET", "/clusters/c1/shards")
            #expect(shards.json["parameters"] == ["id": "c1"])
            #expect(await api.send("GET", "/x/org.example.other/jobs/7").status == 404)
        }
    }

    @Test("a body that does not fit is refused with its place, before the plugin is called")
    func bodies() async throws {
        try await withAPI { api in
            mount(api)
            let path = "/x/\(TestPlugins.extensionID)/jobs"
            #expect(await api.send("POST", path, body: ["name": "a"]).status == 200)
            api.plugins.onRoute { _, _, _, _ throws(PluginError) in throw PluginError(.internal, "must not be called") }
            expectFault(
                await api.send("POST", path, body: ["name": ""]), 400,
                "Validation error: body.name must have at least 1 characters.")
            expectFault(await api.send("POST", path, body: [:]), 400, "Validation error: body.name is missing.")
            expectFault(await api.send("POST", path), 400, "Validation error: body must be of type object.")
        }
    }

    @Test("extensions show routes with their schemas")
    func extensions() async throws {
        try await withAPI { api in
            mount(api)
            let one = await api.send("GET", "/extensions/\(TestPlugins.extensionID)").json["extension"]
            #expect(one?["routes"]?.arrayValue?.count == 3)
            #expect(
                one?["routes"]?[0] == [
                    "method": "POST", "path": .string("/x/\(TestPlugins.extensionID)/jobs"), "policy": "x:jobs",
                    "summary": "Jobs", "request_schema": Self.schema, "response_schema": ["type": "object"],
                ])
        }
    }

    @Test("the core's route names are what no plugin may have, and its actions are those that it knows")
    func core() {
        let names = APIResponder.coreRouteNames(hasConstantRoute: false)
        #expect(names.contains("POST /instances/{id}/action"))
        #expect(names.contains("GET /extensions/{alias}"))
        #expect(CoreAction.allCases.contains { $0.rawValue == "reset_status" })
    }
}
