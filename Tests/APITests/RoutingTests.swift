// SPDX-License-Identifier: Apache-2.0

import Model
import PluginHost
import Testing

@testable import API

@Suite("Routing")
struct RoutingTests {
    @Test(
        "percent-encoding is decoded once",
        arguments: [
            ("bob%2e1", "bob.1"), ("a%2Fb", "a/b"), ("%2540", "%40"), ("plain", "plain"), ("%C3%A4", "ä"),
            ("%zz", nil), ("%4", nil), ("%", nil), ("%00", nil), ("%ff", nil), ("a+b", "a+b"),
        ] as [(String, String?)]
    )
    func decoding(_ text: String, _ expected: String?) {
        #expect(PercentEncoding.decode(text[...]) == expected)
    }

    @Test("what is encoded decodes to itself")
    func encoding() {
        let text = "bob@%/ä?&=+ ~"
        #expect(PercentEncoding.decode(PercentEncoding.encode(text)[...], plusIsSpace: true) == text)
    }

    @Test("a literal segment wins over a parameter")
    func precedence() {
        let table = RouteTable([
            Route(pattern: RoutePattern("GET", "/things/{id}"), target: "parameter"),
            Route(pattern: RoutePattern("GET", "/things/detail"), target: "literal"),
        ])
        #expect(table.match("GET", ["things", "detail"])?.target == "literal")
        #expect(table.match("GET", ["things", "x"])?.parameters == ["x"])
        #expect(table.match("POST", ["things", "x"]) == nil)
        #expect(table.match("GET", ["things"]) == nil)
    }

    @Test("a plugin's route that a core route could answer is refused, naming both")
    func clashes() {
        let core = [RoutePattern("GET", "/instances/{id}"), RoutePattern(nil, "/datastores/{d}/versions")]
        let routes = [
            PluginRoute(pluginID: "p", index: 0, method: "GET", path: "/instances/{x}", policy: ""),
            PluginRoute(pluginID: "p", index: 1, method: "PUT", path: "/datastores/{d}/{e}", policy: ""),
            PluginRoute(pluginID: "p", index: 2, method: "GET", path: "/instances/{id}/users", policy: ""),
            PluginRoute(pluginID: "q", index: 0, method: "GET", path: "/instances/{other}/{thing}", policy: ""),
            PluginRoute(pluginID: "p", index: 3, method: "GET", path: "/instances/{id}/{name}", policy: ""),
        ]
        let (accepted, refusals) = PluginRouteTable.sort(routes, core: core)
        #expect(accepted.map(\.target.index) == [2, 3])
        #expect(
            refusals == [
                "Route 'GET /instances/{x}' of plugin 'p' clashes with the core route 'GET /instances/{id}'.",
                "Route 'PUT /datastores/{d}/{e}' of plugin 'p' clashes with the core route"
                    + " 'any verb /datastores/{d}/versions'.",
                "Route 'GET /instances/{other}/{thing}' of plugin 'q' clashes with route 'GET /instances/{id}/users'"
                    + " of plugin 'p'.",
            ]
        )
    }

    @Test("the next page's query keeps every parameter in order")
    func nextQuery() {
        #expect(Query("limit=1&x=a%20b").replacingMarker("b@%") == "limit=1&x=a%20b&marker=b%40%25")
        #expect(Query("marker=a&limit=1").replacingMarker("b") == "marker=b&limit=1")
        #expect(Query(nil).replacingMarker("b") == "marker=b")
    }

    @Test("booleans in queries are words")
    func booleans() {
        #expect(Query("a=True").isTrue("a"))
        #expect(!Query("a=False&b").isTrue("a"))
        #expect(!Query("a=False&b").isTrue("b"))
    }
}
