// SPDX-License-Identifier: Apache-2.0

import Client
import HTTPClient
import Model
import Testing

@Suite("The service's client")
struct ServiceClientTests {
    @Test("a POST that nobody answered is sent again under the same key")
    func repeated() throws {
        let service = FakeService()
        let client = try service.client()
        service.answers = [
            FakeService.broken, FakeService.answer(503, headers: ["retry-after": "0"]),
            FakeService.answer(200, ["instance": ["id": "x"]]),
        ]
        #expect(try client.send("POST", "/instances", ["instance": [:]]).body?["instance"]?["id"] == "x")
        let keys = service.asked.compactMap { $0.headers["Idempotency-Key"] }
        #expect(keys.count == 3 && Set(keys).count == 1)
        service.answers = [FakeService.answer(202)]
        #expect(try client.send("POST", "/instances/x/action", ["restart": [:]]).body == nil)
        #expect(service.asked.last?.headers["Idempotency-Key"] != keys[0])
    }

    @Test("a DELETE whose connection breaks is not sent again, and a fault's message is told")
    func notRepeated() throws {
        let service = FakeService()
        let client = try service.client()
        service.answers = [FakeService.broken]
        let lost = #expect(throws: ClientError.self) { try client.send("DELETE", "/instances/x") }
        #expect(lost?.code == .unavailable && service.asked.count == 1)
        service.answers = [
            FakeService.answer(404, ["itemNotFound": ["code": 404, "message": "Resource x cannot be found."]])
        ]
        let absent = #expect(throws: ClientError.self) { try client.send("GET", "/instances/x") }
        #expect(absent?.code == .refused && absent?.status == 404)
        #expect(absent?.message == "Resource x cannot be found. (HTTP 404)")
        #expect(service.asked.allSatisfy { $0.headers["Idempotency-Key"] == nil })
    }

    @Test("patience ends")
    func patience() throws {
        let service = FakeService()
        let client = try service.client(patience: .milliseconds(300))
        service.answers = Array(repeating: FakeService.broken, count: 9)
        let error = #expect(throws: ClientError.self) { try client.send("GET", "/flavors") }
        #expect(error?.code == .unavailable && service.asked.count == 2)
    }

    @Test("a token that is no longer good is replaced once")
    func renewed() throws {
        let service = FakeService()
        let client = try service.client()
        service.answers = [FakeService.answer(401), FakeService.answer(200, ["flavors": []])]
        _ = try client.send("GET", "/flavors")
        #expect(service.asked.map { $0.headers["X-Auth-Token"] } == ["token-1", "token-2"])
        service.answers = [FakeService.answer(401), FakeService.answer(401)]
        let error = #expect(throws: ClientError.self) { try client.send("GET", "/flavors") }
        #expect(error?.code == .notAuthenticated)
    }

    @Test("pages are followed with the link's own query")
    func pages() throws {
        let service = FakeService()
        let client = try service.client()
        let next: JSONValue = [
            ["rel": "next", "href": "http://elsewhere/v1.0/p1/instances/i/users?limit=1&marker=bob%2540%2525"]
        ]
        service.answers = [
            FakeService.answer(200, ["users": [["name": "bob"]], "links": next]),
            FakeService.answer(200, ["users": [["name": "eve"]]]),
        ]
        #expect(try client.items("/instances/i/users", "users").map { $0["name"] } == ["bob", "eve"])
        #expect(service.asked[1].path == "/instances/i/users?limit=1&marker=bob%2540%2525")
        service.answers = [FakeService.answer(200, ["users": [["name": "bob"], ["name": "eve"]], "links": next])]
        #expect(try client.items("/instances/i/users", "users", limit: 1).count == 1)
        #expect(service.asked[2].path == "/instances/i/users?limit=1")
    }

    @Test("a name is looked up in all pages, a UUID is not, and two of a name are listed")
    func lookUp() throws {
        let service = FakeService()
        let client = try service.client()
        let uuid = "0f0f0f0f-1111-4222-8333-444444444444"
        #expect(try client.id(.instance, uuid) == uuid && service.asked.isEmpty)
        let next: JSONValue = [["rel": "next", "href": "http://x/instances?marker=a"]]
        func pages(_ second: JSONValue) -> [Result<HTTPResponse, HTTPClientError>] {
            [
                FakeService.answer(200, ["instances": [["id": "a", "name": "shop"]], "links": next]),
                FakeService.answer(200, ["instances": second]),
            ]
        }
        service.answers = pages([["id": "b", "name": "spare"]])
        #expect(try client.id(.instance, "spare") == "b")
        service.answers = pages([["id": "b", "name": "shop"]])
        let several = #expect(throws: ClientError.self) { try client.id(.instance, "shop") }
        #expect(several?.code == .usage && several?.message == "2 instances are called 'shop'; give an id: a, b")
        service.answers = pages([])
        let none = #expect(throws: ClientError.self) { try client.id(.instance, "other") }
        #expect(none?.message == "there is no instance 'other'")
        service.answers = [FakeService.answer(200, ["flavors": [["id": 1, "str_id": "1", "name": "tiny"]]])]
        #expect(try client.id(.flavor, "tiny") == "1")
        service.answers = [FakeService.answer(200, ["flavors": [["id": .null, "str_id": "m1", "name": "tiny"]]])]
        #expect(try client.id(.flavor, "m1") == "m1")
    }

    @Test("names become parts of a path")
    func paths() {
        #expect(PathText.member("a.b", host: "10.0.0.%") == "a%2eb%4010%2e0%2e0%2e%25")
        #expect(PathText.escaped("é/ x") == "%C3%A9%2F%20x")
        #expect(PathText.query(["a": nil, "b": "1 2", "c": "x"]) == "?b=1%202&c=x" && PathText.query(["a": nil]) == "")
    }
}
