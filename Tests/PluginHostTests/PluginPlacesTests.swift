// SPDX-License-Identifier: Apache-2.0

import Model
import Testing

@testable import PluginHost

@Suite("Where plugins' routes are, and module drivers")
struct PluginPlacesTests {
    private static let routes = """
        #ifndef SCHEMA
        #define SCHEMA "{\\"type\\":\\"object\\",\\"required\\":[\\"n\\"]}"
        #endif
        static trove_status serve(trove_call *call, trove_str request) { (void)request; return say(call, "{\\"status\\":204}"); }
        static const trove_route_1 items[] = {
          {sizeof(trove_route_1), 0, "POST", "/x/" ID "/jobs", "x:jobs:create", "Makes a job", SCHEMA, "{}", serve},
          {sizeof(trove_route_1), 0, "GET", "/x/" ID "/jobs/{job}", "x:jobs:show", NULL, NULL, NULL, serve},
          {sizeof(trove_route_1), 0, "GET", "/clusters/{id}/shards", "cluster:shards", "Shards", NULL, NULL, serve}};
        static const trove_api_extension_1 api = {sizeof(trove_api_extension_1), 3, items};
        static const void *extension(const char *id) { return strcmp(id, TROVE_EXT_API_EXTENSION) == 0 ? &api : NULL; }
        """

    private func install(
        _ fixture: PluginFixture, macros: [String] = [],
        words: JSONValue = ["x": ["jobs"], "clusters": ["shards"]]
    ) throws {
        try fixture.install("places", Self.routes, provides: ["trove.api-extension/1"], macros: macros) {
            $0["routes"] = words
        }
    }

    @Test("routes below /x and /clusters are loaded with summary and schemas")
    func places() async throws {
        try await withPlugins { (fixture: PluginFixture) async throws -> Void in
            try install(fixture)
            let registry = try fixture.load(.control, enabled: ["test.places"])
            #expect(registry.refusals == [])
            let routes = registry.plugins.flatMap(\.routes)
            #expect(
                routes.map(\.path) == [
                    "/x/test.places/jobs", "/x/test.places/jobs/{job}", "/clusters/{id}/shards",
                ])
            #expect(routes.first?.summary == "Makes a job")
            #expect(routes.first?.requestSchema == ["type": "object", "required": ["n"]])
            #expect(routes.first?.responseSchema == [:])
            #expect(routes.last?.requestSchema == nil)
        }
    }

    @Test(
        "a word that is not declared at its place, and a schema that cannot be checked, refuse the plugin",
        arguments: [
            ([], ["x": ["jobs"]], PluginRefusal.Cause.mismatch, "routes.clusters"),
            ([], ["clusters": ["shards"], "instances": ["jobs"]], .mismatch, "routes.x"),
            (["SCHEMA=\"{\""], ["x": ["jobs"], "clusters": ["shards"]], .table, "route 0: request_schema is not JSON"),
            (
                ["SCHEMA=\"{\\\"$ref\\\":\\\"a\\\"}\""], ["x": ["jobs"], "clusters": ["shards"]], .table,
                "the keyword '$ref' is not supported"
            ),
        ] as [([String], JSONValue, PluginRefusal.Cause, String)])
    func refused(_ macros: [String], _ words: JSONValue, _ cause: PluginRefusal.Cause, _ text: String) async throws {
        try await withPlugins { (fixture: PluginFixture) async throws -> Void in
            try install(fixture, macros: macros, words: words)
            let refusal = try fixture.load(.control, enabled: ["test.places"]).refusals.first
            #expect(refusal?.cause == cause)
            #expect(refusal?.message.contains(text) == true, "\(refusal?.message ?? "")")
        }
    }

    @Test("a route of the core refuses the plugin at load and names both")
    func core() async throws {
        try await withPlugins { (fixture: PluginFixture) async throws -> Void in
            try install(fixture)
            var configuration = fixture.configuration(.control, enabled: ["test.places"])
            configuration.coreRoutes = ["GET /instances", "* /clusters/{cluster}/{word}"]
            let registry = PluginRegistry(configuration: configuration)
            try registry.load()
            #expect(registry.plugins.isEmpty)
            #expect(registry.refusals.first?.cause == .clash)
            #expect(
                registry.refusals.first?.message.contains(
                    "GET /clusters/{id}/shards of 'test.places' is the core's route * /clusters/{cluster}/{word}")
                    == true)
        }
    }

    private static let driver = """
        #ifndef TYPE
        #define TYPE "note"
        #endif
        static trove_status validate(trove_call *call, trove_str request) {
          return has(request, "YmFk") ? host->fail(call, TROVE_INVALID_ARGUMENT, text("bad contents"), text("")) : TROVE_OK;
        }
        static trove_status apply(trove_call *call, trove_str request) {
          return has(request, "\\"name\\":\\"first\\"") ? say(call, "{\\"message\\":\\"noted\\"}") : TROVE_BUSY;
        }
        static trove_status take(trove_call *call, trove_str request) { (void)call; (void)request; return TROVE_OK; }
        static const trove_module_driver_1 driver = {
          sizeof(trove_module_driver_1), 0, TYPE, validate, apply,
        #ifdef KEEPS
          NULL
        #else
          take
        #endif
        };
        static const void *extension(const char *id) { return strcmp(id, TROVE_EXT_MODULE_DRIVER) == 0 ? &driver : NULL; }
        """

    @Test("a driver validates, applies and removes modules of its type")
    func modules() async throws {
        try await withPlugins { (fixture: PluginFixture) async throws -> Void in
            try fixture.install("driver", Self.driver, provides: ["trove.module-driver/1"])
            try fixture.install("other", Self.driver, provides: ["trove.module-driver/1"])
            try fixture.install(
                "keeps", Self.driver, provides: ["trove.module-driver/1"], macros: ["TYPE=\"kept\"", "KEEPS"])
            let registry = try fixture.load(.guest, enabled: ["test.driver", "test.keeps", "test.other"])
            #expect(registry.plugins.map(\.moduleType) == ["note", "kept"])
            #expect(registry.refusals.map(\.cause) == [.clash])
            let options = PluginFixture.options()
            func module(_ type: String, _ name: String, _ contents: String) -> JSONValue {
                ["id": "m", "type": .string(type), "name": .string(name), "contents": .string(contents)]
            }
            #expect(try await registry.module(.apply, module("note", "first", ""), options) == ["message": "noted"])
            #expect(try await registry.module(.remove, module("note", "first", ""), options) == .null)
            func code(_ function: ModuleFunction, _ module: JSONValue) async -> PluginError.Code? {
                await failure { () throws(PluginError) in try await registry.module(function, module, options) }?.code
            }
            #expect(await code(.validate, module("note", "first", "YmFk")) == .invalidArgument)
            #expect(await code(.apply, module("note", "first", "YmFk")) == .invalidArgument)
            #expect(await code(.apply, module("note", "second", "")) == .busy)
            #expect(await code(.remove, module("kept", "first", "")) == .unsupported)
            #expect(await code(.apply, module("absent", "first", "")) == .notFound)
        }
    }
}
