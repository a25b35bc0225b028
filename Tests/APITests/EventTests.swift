// SPDX-License-Identifier: Apache-2.0

import Model
import StateStore
import TestSupport
import Testing

@testable import API

@Suite("Events")
struct EventTests {
    private static let json = [(name: "accept", value: "application/json")]

    private func ids(_ response: APIResponse) -> [Int] {
        (response.json["events"]?.arrayValue ?? []).compactMap { $0["id"]?.intValue }
    }

    private func text(_ response: APIResponse) async throws -> String {
        String(decoding: try await response.stream?() ?? [], as: UTF8.self)
    }

    @Test("a project polls its own events in pages; another one's are not there")
    func pages() async throws {
        try await withAPI { api in
            var made: [String] = []
            for _ in 0..<3 {
                let answer = await api.send("POST", "/instances", body: CreateInstanceTests.body())
                made.append(try #require(answer.json["instance"]?["id"]?.stringValue))
            }
            _ = await api.send("POST", "/instances", as: "bob", body: CreateInstanceTests.body())
            let all = await api.send("GET", "/events", headers: Self.json)
            #expect(all.status == 200 && ids(all) == [1, 2, 3])
            let event = try #require(all.json["events"]?.arrayValue?.first)
            #expect(event["event"] == "operation_accepted" && event["operation"] == "create_instance")
            #expect(event["instance_id"] == .string(made[0]) && event["user_id"] == "user-alice")
            #expect(event["request_id"]?.stringValue?.hasPrefix("req-") == true)
            #expect(event["step"] == .null && event["cause"] == .null)
            #expect(all.json["position"] == 4, "what others did is passed over")
            let page = await api.send("GET", "/events?limit=2", headers: Self.json)
            #expect(ids(page) == [1, 2])
            #expect(page.json["links"]?.arrayValue?.first?["href"]?.stringValue?.contains("marker=2") == true)
            #expect(ids(await api.send("GET", "/events?limit=2&marker=2", headers: Self.json)) == [3])
            #expect(ids(await api.send("GET", "/events?since=4", headers: Self.json)) == [])
            let path = "/instances/\(made[1])/events"
            #expect(ids(await api.send("GET", path, headers: Self.json)) == [2])
            #expect(ids(await api.send("GET", path, as: "admin", headers: Self.json)) == [2])
            #expect(await api.send("GET", path, as: "bob", headers: Self.json).status == 404)
            #expect(ids(await api.send("GET", "/events", as: "admin", headers: Self.json)) == [])
            #expect(await api.send("GET", "/instances/none/events", headers: Self.json).status == 404)
            for query in ["since=x", "since=-1", "marker=a", "limit=0"] {
                #expect(await api.send("GET", "/events?\(query)", headers: Self.json).status == 400, "\(query)")
            }
        }
    }

    @Test("a deleted instance's events stay its project's alone")
    func deleted() async throws {
        try await withAPI { api in
            let id = try await api.insertRunning()
            #expect(await api.send("DELETE", "/instances/\(id)").status == 202)
            try await api.store.write(.relaxed) { try $0.instances.markDeleted(id, now: api.clock.now) }
            #expect(ids(await api.send("GET", "/instances/\(id)/events", headers: Self.json)) == [1])
            #expect(await api.send("GET", "/instances/\(id)/events", as: "bob", headers: Self.json).status == 404)
        }
    }

    @Test("a stream begins with its place, sends what comes, and goes on behind Last-Event-ID")
    func stream() async throws {
        try await withAPI { api in
            let follower = Task { await api.responder.followEvents() }
            defer { follower.cancel() }
            _ = await api.send("POST", "/instances", body: CreateInstanceTests.body())
            let live = await api.send("GET", "/events")
            #expect(live.status == 200 && live.contentType == "text/event-stream")
            #expect(try await text(live) == "retry: 1000\nid: 1\n\n")
            _ = await api.send("POST", "/instances", as: "bob", body: CreateInstanceTests.body())
            _ = await api.send("POST", "/instances", body: CreateInstanceTests.body())
            let message = try await text(live)
            #expect(message.hasPrefix("id: 3\nevent: operation_accepted\ndata: {\"id\":3,"))
            #expect(message.hasSuffix("}\n\n"))
            let again = await api.send(
                "GET", "/events?since=3", headers: [("accept", "text/event-stream"), ("last-event-id", "0")])
            #expect(try await text(again) == "retry: 1000\nid: 0\n\n")
            let replay = try await text(again)
            #expect(replay.contains("id: 1\n") && replay.contains("id: 3\n") && !replay.contains("id: 2\n"))
            #expect(await api.send("GET", "/events", headers: [("last-event-id", "x")]).status == 400)
        }
    }

    @Test("streams of a project are limited, and their places are given back")
    func limit() async throws {
        var configuration = APIFixture.configuration
        configuration.eventStreams = 2
        try await withAPI(configuration) { api in
            do {
                let open = [await api.send("GET", "/events"), await api.send("GET", "/events?since=0")]
                #expect(open.map(\.status) == [200, 200])
                let third = await api.send("GET", "/events")
                #expect(third.status == 413 && third.fault.key == "overLimit")
                #expect(await api.send("GET", "/events", as: "bob").status == 200)
                #expect(await api.send("GET", "/events", headers: Self.json).status == 200)
            }
            #expect(await api.send("GET", "/events").status == 200)
        }
    }
}
