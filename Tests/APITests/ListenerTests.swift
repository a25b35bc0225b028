// SPDX-License-Identifier: Apache-2.0

import API
import Calls
import Logging
import Model
import PluginHost
import ServiceLifecycle
import Synchronization
import Testing

@Suite("Inherited listener")
struct ListenerTests {
    private static let alice = TestIdentity.projects["alice"] ?? ""

    private static func request(_ path: String, _ more: String = "") -> String {
        "GET /v1.0/\(alice)\(path) HTTP/1.1\r\nHost: db.example:8779\r\nX-Auth-Token: alice\r\n\(more)\r\n"
    }

    /// Runs the service on a socket of its own and stops it gracefully afterwards.
    private func withService(
        _ configuration: APIConfiguration = APIFixture.configuration,
        _ body: (APIFixture, UInt16, ServiceGroup) async throws -> Void
    ) async throws {
        try await withAPI(configuration) { api in
            let listener = try RawListener()
            defer { listener.close() }
            let service = APIService(
                configuration: configuration, listener: listener.descriptor, store: api.store,
                identity: TestIdentity(), plugins: api.plugins, guests: GuestClient(api.bus),
                taskManager: TaskManagerClient(api.bus), clock: api.clock, logger: api.services.logger
            )
            let group = ServiceGroup(services: [service], logger: api.services.logger)
            async let running: Void = group.run()
            try await body(api, listener.port, group)
            await group.triggerGracefulShutdown()
            try await running
        }
    }

    @Test("XML over a connection: an answer, its head alone, and the fault of a host that is none")
    func xml() async throws {
        try await withService { _, port, _ in
            let (text, head, fault) = try await onThread {
                let connection = try RawConnection(port: port)
                defer { connection.close() }
                connection.send(Self.request("/flavors.xml"))
                let text = connection.receive().text
                connection.send("HEAD / HTTP/1.1\r\nHost: h\r\nAccept: application/xml\r\n\r\n")
                let head = connection.receive(upTo: "\r\n\r\n")
                connection.send("GET / HTTP/1.1\r\nHost: <h>\r\nAccept: application/xml\r\n\r\n")
                return (text, head, connection.receive().text)
            }
            #expect(text.lowercased().contains("content-type: application/xml\r\n"))
            #expect(text.contains("\r\n\r\n<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<flavors xmlns="))
            #expect(head.lowercased().contains("content-type: application/xml\r\n"))
            #expect(head.hasSuffix("\r\n\r\n"))
            #expect(fault.hasPrefix("HTTP/1.1 400 "))
            #expect(fault.contains("<badRequest code=\"400\">"))
        }
    }

    @Test("one connection serves many requests, and the host is the client's")
    func keepAlive() async throws {
        try await withService { _, port, _ in
            let texts = try await onThread {
                let connection = try RawConnection(port: port)
                defer { connection.close() }
                return (0..<3).map { _ in
                    connection.send(Self.request("/flavors"))
                    return connection.receive().text
                }
            }
            for text in texts {
                #expect(text.hasPrefix("HTTP/1.1 200 OK\r\n"))
                #expect(text.contains("https://db.example:8779/v1.0/\(Self.alice)/flavors/1"))
                #expect(text.lowercased().contains("content-type: application/json\r\n"))
                #expect(text.lowercased().contains("x-openstack-request-id: req-"))
                #expect(text.contains("Date: Sun, 13 Sep 2020 12:26:40 GMT\r\n"))
            }
        }
    }

    @Test("an HTTP/1.0 connection ends after the answer, unless the client asks to keep it")
    func oldVersion() async throws {
        try await withService { _, port, _ in
            let (single, kept) = try await onThread {
                let one = try RawConnection(port: port)
                defer { one.close() }
                one.send("GET / HTTP/1.0\r\n\r\n")
                let single = one.receive(responses: 0)
                let two = try RawConnection(port: port)
                defer { two.close() }
                let kept = (0..<2).map { _ in
                    two.send("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n")
                    return two.receive()
                }
                return (single, kept.map(\.text))
            }
            #expect(single.isClosed)
            #expect(single.text.contains("\"v1.0\""))
            #expect(
                kept.allSatisfy { $0.lowercased().contains("connection: keep-alive\r\n") && $0.contains("\"v1.0\"") })
        }
    }

    @Test("pipelined requests are answered in order")
    func pipelining() async throws {
        try await withService { _, port, _ in
            let text = try await onThread {
                let connection = try RawConnection(port: port)
                defer { connection.close() }
                connection.send(Self.request("/flavors/1") + Self.request("/nothing") + Self.request("/flavors/big"))
                return connection.receive(responses: 3).text
            }
            let parts = text.components("HTTP/1.1 ")
            #expect(parts.map { $0.prefix(3) } == ["200", "404", "200"])
            #expect(parts.first?.contains("\"str_id\":\"1\"") == true)
            #expect(parts.last?.contains("\"str_id\":\"big\"") == true)
        }
    }

    @Test("bodies: chunked ones arrive, unread ones are skipped, too large ones end the connection")
    func bodies() async throws {
        try await withService { _, port, _ in
            let (chunked, skipped, large) = try await onThread {
                let connection = try RawConnection(port: port)
                defer { connection.close() }
                let post =
                    "POST /v1.0/\(Self.alice)/instances HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\n"
                let token = "X-Auth-Token: alice\r\n"
                connection.send(post + token + "Transfer-Encoding: chunked\r\n\r\n5\r\n{\"ins\r\n")
                connection.send("d\r\ntance\":{\"a\":1\r\n2\r\n}}\r\n0\r\n\r\n")
                let chunked = connection.receive().text
                connection.send(post + "Content-Length: 9\r\n\r\n{\"a\": 12}" + Self.request("/flavors/1"))
                let skipped = connection.receive(responses: 2).text
                connection.send(post + token + "Content-Length: 99999999\r\n\r\n{")
                return (chunked, skipped, connection.receive(responses: 0))
            }
            #expect(chunked.contains("Validation error: instance 'name' is a required property"))
            #expect(skipped.components("HTTP/1.1 ").map { $0.prefix(3) } == ["401", "200"])
            #expect(large.text.hasPrefix("HTTP/1.1 413"))
            #expect(large.text.lowercased().contains("connection: close"))
            #expect(large.isClosed)
        }
    }

    @Test("HEAD has no body, 202 is really empty, and Expect is answered")
    func heads() async throws {
        try await withService { api, port, _ in
            let id = try await api.insertRunning()
            let (head, empty, expected) = try await onThread {
                let connection = try RawConnection(port: port)
                defer { connection.close() }
                connection.send("DELETE /v1.0/\(Self.alice)/instances/\(id) HTTP/1.1\r\nHost: h\r\n")
                connection.send("X-Auth-Token: alice\r\n\r\n")
                let empty = connection.receive().text
                connection.send(
                    "PUT /v1.0/\(Self.alice)/instances/\(id) HTTP/1.1\r\nHost: h\r\nX-Auth-Token: alice\r\n")
                connection.send("Content-Type: application/json\r\nExpect: 100-continue\r\nContent-Length: 27\r\n\r\n")
                connection.send("{\"instance\":{\"name\":\"abc\"}}")
                let expected = connection.receive().text
                connection.send("HEAD /v1.0/\(Self.alice)/flavors HTTP/1.1\r\nHost: h\r\nConnection: Close\r\n\r\n")
                return (connection.receive(responses: 0), empty, expected)
            }
            #expect(empty.hasPrefix("HTTP/1.1 202"))
            #expect(empty.lowercased().contains("content-length: 0\r\n"))
            #expect(empty.hasSuffix("\r\n\r\n"))
            #expect(expected.hasPrefix("HTTP/1.1 100"))
            #expect(expected.contains("HTTP/1.1 202"))
            #expect(head.text.hasPrefix("HTTP/1.1 401"))
            #expect(head.text.hasSuffix("\r\n\r\n"))
            #expect(head.isClosed)
        }
    }

    @Test("a client that leaves in the middle of its body harms nobody")
    func departure() async throws {
        try await withService { _, port, _ in
            let text = try await onThread {
                for _ in 0..<20 {
                    let connection = try RawConnection(port: port)
                    connection.send("POST /v1.0/\(Self.alice)/instances HTTP/1.1\r\nHost: h\r\nX-Auth-Token: alice\r\n")
                    connection.send("Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{")
                    connection.close()
                }
                let connection = try RawConnection(port: port)
                defer { connection.close() }
                connection.send("GARBAGE\r\n\r\n")
                let garbage = connection.receive(responses: 0).text
                let next = try RawConnection(port: port)
                defer { next.close() }
                next.send(Self.request("/flavors/1"))
                return garbage.prefix(12) + next.receive().text.prefix(12)
            }
            #expect(text == "HTTP/1.1 400HTTP/1.1 200")
        }
    }

    @Test("a head or a body that trickles in is cut off")
    func slowClients() async throws {
        var configuration = APIFixture.configuration
        configuration.idleTimeout = .milliseconds(300)
        configuration.bodyTimeout = .milliseconds(300)
        try await withService(configuration) { _, port, _ in
            for start in ["GET /v1.0/x HTTP/1.1\r\nHo", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\n{"] {
                let (closed, elapsed) = try await onThread {
                    let connection = try RawConnection(port: port)
                    defer { connection.close() }
                    let begin = ContinuousClock.now
                    connection.send(start)
                    return (connection.receive(responses: 0).isClosed, ContinuousClock.now - begin)
                }
                #expect(closed)
                #expect(elapsed < .seconds(5))
            }
        }
    }

    @Test("a route may work longer than a body may take")
    func slowRoute() async throws {
        var configuration = APIFixture.configuration
        configuration.bodyTimeout = .milliseconds(200)
        try await withService(configuration) { api, port, _ in
            api.plugins.setRoutes([("POST", "/long")])
            api.plugins.onRoute { _, _, _, _ throws(PluginError) in
                try? await Task.sleep(for: .milliseconds(600))
                return ["status": 202]
            }
            let text = try await onThread {
                let connection = try RawConnection(port: port)
                defer { connection.close() }
                connection.send("POST /v1.0/\(Self.alice)/long HTTP/1.1\r\nHost: h\r\nX-Auth-Token: alice\r\n")
                connection.send("Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}")
                return connection.receive().text
            }
            #expect(text.hasPrefix("HTTP/1.1 202"))
        }
    }

    @Test("a stop lets the running request end, closes idle connections and leaves the socket to its owner")
    func gracefulStop() async throws {
        try await withAPI { api in
            let listener = try RawListener()
            defer { listener.close() }
            let port = listener.port
            let (started, begin) = AsyncStream.makeStream(of: Void.self)
            let (released, release) = AsyncStream.makeStream(of: Void.self)
            api.plugins.setRoutes([("GET", "/slow")])
            api.plugins.onRoute { _, _, _, _ throws(PluginError) in
                begin.yield()
                for await _ in released { break }
                return ["status": 200, "body": "done"]
            }
            let service = APIService(
                configuration: APIFixture.configuration, listener: listener.descriptor, store: api.store,
                identity: TestIdentity(), plugins: api.plugins, guests: GuestClient(api.bus),
                taskManager: TaskManagerClient(api.bus), logger: api.services.logger
            )
            let group = ServiceGroup(services: [service], logger: api.services.logger)
            async let running: Void = group.run()
            let idle = try await onThread {
                let connection = try RawConnection(port: port)
                connection.send(Self.request("/flavors"))
                _ = connection.receive()
                return connection.descriptor
            }
            async let slow = onThread {
                let connection = try RawConnection(port: port)
                defer { connection.close() }
                connection.send(Self.request("/slow"))
                return connection.receive(responses: 0)
            }
            for await _ in started { break }
            await group.triggerGracefulShutdown()
            let closed = try await onThread { RawConnection(open: idle).receive(responses: 0).isClosed }
            #expect(closed)
            release.yield()
            let answer = try await slow
            #expect(answer.text.contains("\"done\""))
            #expect(answer.isClosed)
            try await running
            // Still listening: a connection made now waits in the backlog for the next worker.
            try await onThread { try RawConnection(port: port).close() }
        }
    }

    @Test("a stop does not wait for ever")
    func boundedStop() async throws {
        var configuration = APIFixture.configuration
        configuration.stopTimeout = .milliseconds(300)
        try await withService(configuration) { api, port, group in
            api.plugins.setRoutes([("GET", "/stuck")])
            let (started, begin) = AsyncStream.makeStream(of: Void.self)
            api.plugins.onRoute { _, _, _, _ throws(PluginError) in
                begin.yield()
                try? await Task.sleep(for: .seconds(60))
                return ["status": 200]
            }
            async let stuck = onThread {
                let connection = try RawConnection(port: port)
                defer { connection.close() }
                connection.send(Self.request("/stuck"))
                return connection.receive(responses: 0)
            }
            for await _ in started { break }
            let begun = ContinuousClock.now
            await group.triggerGracefulShutdown()
            let isClosed = try await stuck.isClosed
            #expect(isClosed)
            #expect(ContinuousClock.now - begun < .seconds(6))
        }
    }
}

extension RawConnection {
    init(open descriptor: Int32) { self.descriptor = descriptor }
}

extension String {
    /// What stands between occurrences of `separator`, without empty pieces.
    fileprivate func components(_ separator: String) -> [String] {
        split(separator: separator).map(String.init)
    }
}
