// SPDX-License-Identifier: Apache-2.0

import API
import Calls
import Model
import PluginHost
import StateStore
import TestSupport
import Testing

@Suite("Pipeline")
struct PipelineTests {
    private let alice = TestIdentity.projects["alice"] ?? ""

    @Test("any verb on / lists the versions; /v1.0 shows one; /healthcheck says OK")
    func open() async throws {
        try await withAPI { api in
            for verb in ["GET", "POST", "HEAD", "FROB"] {
                let response = await api.raw(verb, "/")
                #expect(response.status == 200)
                let entry = response.json["versions"]?[0]
                #expect(entry?["id"] == "v1.0")
                #expect(entry?["status"] == "CURRENT")
                #expect(entry?["links"]?[0]?["href"] == "http://127.0.0.1:8779/v1.0/")
            }
            for path in ["/v1.0", "/v1.0/"] {
                #expect(await api.raw("GET", path).json["version"]?["id"] == "v1.0")
            }
            let health = await api.raw("GET", "/healthcheck")
            #expect(health.status == 200)
            #expect(health.body == Array("OK".utf8))
            #expect(health.header("x-openstack-request-id") == nil)
        }
    }

    @Test("the public endpoint replaces the request's host")
    func publicEndpoint() async throws {
        var configuration = APIFixture.configuration
        configuration.publicEndpoint = "https://db.example.org"
        try await withAPI(configuration) { api in
            let href = await api.raw("GET", "/").json["versions"]?[0]?["links"]?[0]?["href"]
            #expect(href == "https://db.example.org/v1.0/")
        }
    }

    @Test("a version that Accept asks for is served, or refused with 406")
    func acceptVersion() async throws {
        try await withAPI { api in
            let accept = "application/vnd.openstack.trove+json;version="
            let good = await api.raw(
                "GET", "/\(alice)/flavors", headers: [("accept", accept + "1.0"), ("x-auth-token", "alice")])
            #expect(good.status == 200)
            expectFault(
                await api.raw("GET", "/\(alice)/flavors", headers: [("accept", accept + "3.0")]), 406,
                "version not supported")
            expectFault(await api.raw("GET", "/", headers: [("accept", accept + "3.0")]), 406, "version not supported")
        }
    }

    @Test("no token and a wrong one are 401 with the contract's body and header", arguments: [nil, "mallory", ""])
    func unauthenticated(_ token: String?) async throws {
        try await withAPI { api in
            let response = await api.raw(
                "GET", "/v1.0/\(alice)/instances", headers: token.map { [("x-auth-token", $0)] } ?? [])
            #expect(response.status == 401)
            #expect(
                response.json == [
                    "error": [
                        "code": 401, "title": "Unauthorized",
                        "message": "The request you have made requires authentication.",
                    ]
                ]
            )
            #expect(response.header("www-authenticate") == "Keystone uri=\"http://127.0.0.1:8779/identity\"")
            #expect(response.header("x-openstack-request-id")?.hasPrefix("req-") == true)
        }
    }

    @Test("an identity service that cannot answer is 503, not 401")
    func identityAway() async throws {
        try await withAPI { api in
            let response = await api.raw("GET", "/v1.0/\(alice)/instances", headers: [("x-auth-token", "later")])
            #expect(response.status == 503)
            #expect(response.header("retry-after") == "1")
        }
    }

    @Test("another project's URL is 403, for administrators too")
    func otherProject() async throws {
        try await withAPI { api in
            for token in ["bob", "admin"] {
                let response = await api.raw(
                    "GET", "/v1.0/\(alice)/instances", headers: [("x-auth-token", token)])
                #expect(response.status == 403)
                #expect(response.fault.key == "forbidden")
            }
            let short = await api.raw("GET", "/v1.0/\(alice)", headers: [("x-auth-token", "alice")])
            #expect(short.status == 403)
            // A token without a project opens none, not even the one with an empty name.
            #expect(await api.raw("GET", "/v1.0//instances", headers: [("x-auth-token", "nobody")]).status == 403)
        }
    }

    @Test(
        "unknown paths and verbs are 404, never 405",
        arguments: [
            ("GET", "/nothing"), ("PATCH", "/flavors"), ("HEAD", "/instances"), ("TRACE", "/instances"),
            ("GET", "/instances/"), ("GET", "//instances"), ("GET", "/instances/../flavors"), ("GET", "/flavors/%zz"),
            ("GET", "/flavors/%00"), ("GET", "/volume-types/x"), ("GET", "/mgmt/flavors"),
            ("GET", "/configuration-groups"),
            ("PUT", "/datastores/mariadb"), ("GET", "/"), ("POST", "/backups/x"), ("GET", "/volume-types"),
        ]
    )
    func unknown(_ verb: String, _ path: String) async throws {
        try await withAPI { api in
            expectFault(await api.send(verb, path), 404, "The resource could not be found.")
        }
    }

    @Test("paths outside of /v1.0 are 404", arguments: ["/v1.0x/a", "/v2.0/a/b", "/zzz", "/v1.0/../etc", "*"])
    func outside(_ path: String) async throws {
        try await withAPI { api in
            let response = await api.raw("GET", path, headers: [("x-auth-token", "alice")])
            #expect(path == "/v1.0/../etc" ? response.status == 403 : response.status == 404)
        }
    }

    @Test("traversal in an id is an id that does not exist")
    func traversal() async throws {
        try await withAPI { api in
            expectFault(await api.send("GET", "/flavors/%2e%2e"), 404, "Resource .. cannot be found.")
            expectFault(
                await api.send("GET", "/instances/..%2F..%2Fetc"), 404, "Resource ../../etc cannot be found.")
        }
    }

    @Test("every answer of the pipeline has its own request id and the JSON type")
    func headers() async throws {
        try await withAPI { api in
            let responses = [
                await api.send("GET", "/flavors"), await api.send("GET", "/nothing"),
                await api.send("POST", "/instances"),
            ]
            let ids = Set(responses.compactMap { $0.header("x-openstack-request-id") })
            #expect(ids.count == 3)
            #expect(responses.allSatisfy { $0.contentType == "application/json" })
        }
    }

    @Test("identity gets what is below /identity")
    func identity() async throws {
        try await withAPI { api in
            let response = await api.raw("POST", "/identity/v3/auth%2Ftokens?a=b", text: "{}")
            #expect(response.status == 201)
            #expect(response.header("x-subject-token") == "t")
            #expect(
                response.json == [
                    "method": "POST", "path": "/v3/auth/tokens", "query": "a=b", "body": "{}",
                    "base_url": "http://127.0.0.1:8779",
                ]
            )
            #expect(await api.raw("GET", "/identityx").status == 404)
        }
    }

    @Test("bodies: other types are 415, broken JSON and none 400, too large 413")
    func bodies() async throws {
        try await withAPI { api in
            let create = #"{"instance": {"name": "x"}}"#
            let other = await api.sendText(
                "POST", "/instances", text: create, headers: [("content-type", "text/plain")])
            #expect(other.status == 415)
            #expect(other.fault.key == "badMediaType")
            for broken in ["{", "{\"a\":1,\"a\":2}", "[1,]", "{} {}", String(repeating: "[", count: 100)] {
                let response = await api.sendText("POST", "/instances", text: broken)
                #expect(response.status == 400)
                #expect(response.fault.message.hasPrefix("Malformed request body: "))
            }
            for text in [#"{"instance": {"name": "a\u0000b"}}"#, #"{"a\u0000": 1}"#, #"{"x": [["\u0000"]]}"#] {
                let response = await api.sendText("POST", "/instances", text: text)
                #expect(response.status == 400)
                #expect(response.fault.message.contains("U+0000"))
            }
            let untyped = await api.raw(
                "POST", "/v1.0/\(alice)/instances", headers: [("x-auth-token", "alice")], text: create)
            #expect(untyped.status == 400)
            #expect(await api.send("POST", "/instances").status == 400)
            let large = await api.sendText("POST", "/instances", text: String(repeating: " ", count: 1 << 20) + "{}")
            #expect(large.status == 413)
            #expect(large.fault.message == "The request body is larger than 1048576 bytes.")
            let charset = await api.sendText(
                "POST", "/instances", text: create, headers: [("content-type", "Application/JSON; charset=utf-8")])
            #expect(charset.fault.message.hasPrefix("Validation error"))
        }
    }

    @Test("a request past the rate is 413 with Retry-After, and verbs without a limit are free")
    func rate() async throws {
        var configuration = APIFixture.configuration
        configuration.rateLimits = ["GET": 3]
        try await withAPI(configuration) { api in
            for _ in 0..<3 { #expect(await api.send("GET", "/flavors").status == 200) }
            let response = await api.send("GET", "/flavors")
            #expect(response.status == 413)
            #expect(
                response.json == [
                    "overLimit": [
                        "code": 413, "message": "This request was rate-limited.",
                        "details": "Only 3 GET request(s) can be made to * every minute.", "retryAfter": "20",
                    ]
                ]
            )
            #expect(response.header("retry-after") == "20")
            #expect(await api.send("GET", "/flavors", as: "bob").status == 200)
            #expect(await api.send("PATCH", "/flavors").status == 404)
            api.clock.advance(by: .seconds(20))
            #expect(await api.send("GET", "/flavors").status == 200)
        }
    }

    @Test("an error nobody expects is 500 with an id, and says nothing else")
    func uncaught() async throws {
        try await withAPI { api in
            let services = APIServices(
                configuration: APIFixture.configuration, store: BrokenStore(), identity: TestIdentity(),
                plugins: api.plugins, guests: GuestClient(api.bus), taskManager: TaskManagerClient(api.bus),
                clock: api.clock, random: SystemRandomSource(), logger: api.services.logger
            )
            let response = await APIResponder(services).respond(
                to: APIRequest(
                    method: "GET", target: "/v1.0/\(alice)/instances", headers: [("x-auth-token", "alice")], host: "h"))
            #expect(response.status == 500)
            #expect(response.fault.key == "instanceFault")
            let start = "Internal Server Error. Please keep this ID to help us figure out what went wrong: ("
            #expect(response.fault.message.hasPrefix(start))
            #expect(response.fault.message.count == start.count + 36 + 2)
        }
    }

    @Test("a plugin that answers nonsense, and a store that is closed, are told apart")
    func broken() async throws {
        try await withAPI { api in
            api.plugins.setRoutes([("GET", "/broken")])
            api.plugins.onRoute { _, _, _, _ throws(PluginError) in ["no": "status"] }
            expectFault(
                await api.send("GET", "/broken"), 500,
                "Plugin 'org.example.routes' answered route 'GET /broken' without a status.")
            await api.store.close()
            #expect(await api.send("GET", "/instances").status == 503)
        }
    }
}

/// A state store with a fault of its own.
private struct BrokenStore: StateStore {
    struct Surprise: Error {}

    func read<Value: Sendable>(
        _ body: @Sendable @escaping (any StateTransaction) throws -> Value
    ) async throws -> Value { throw Surprise() }

    func write<Value: Sendable>(
        _ durability: Durability, _ body: @Sendable @escaping (any StateTransaction) throws -> Value
    ) async throws -> Value { throw Surprise() }

    func close() async {}
}
