// SPDX-License-Identifier: Apache-2.0

import Foundation
import Synchronization
import TestSupport
import Testing

@testable import HTTPClient

/// Exchanges block, so each test runs on a thread of its own.
@Suite("HTTP exchanges")
struct HTTPExchangerTests {
    private func onThread<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            Thread.detachNewThread { continuation.resume(with: Result { try body() }) }
        }
    }

    private static func limits(_ seconds: Double = 20, cancelFD: Int32 = -1, bytes: Int = 1 << 20) -> HTTPLimits {
        HTTPLimits(deadline: .now + .seconds(seconds), cancelFD: cancelFD, bodyBytes: bytes)
    }

    private static func failure(_ body: () throws -> some Any) -> HTTPClientError.Code? {
        do {
            _ = try body()
            return nil
        } catch { return (error as? HTTPClientError)?.code }
    }

    @Test("a request's method, headers and body arrive, and status, headers and body come back")
    func exchange() async throws {
        let server = try WebServer()
        let origin = server.origin
        try await onThread {
            let client = HTTPExchanger()
            let request = HTTPRequest(
                "POST", try HTTPAddress(origin + "/echo?a=1#part"),
                headers: [("X-Own", "value"), ("X-Blank", "")], body: .bytes(Array("hello".utf8)))
            let response = try client.perform(request, limits: Self.limits())
            #expect(response.status == 200)
            #expect(response.headers["x-two"] == "a, b")
            let seen = try JSONSerialization.jsonObject(with: Data(response.body)) as? [String: Any]
            #expect(seen?["method"] as? String == "POST" && seen?["bytes"] as? Int == 5)
            let headers = seen?["headers"] as? [String: String]
            #expect(headers?["x-own"] == "value" && headers?["x-blank"] == "" && headers?["content-type"] == nil)
            let head = try client.perform(HTTPRequest("HEAD", try HTTPAddress(origin)), limits: Self.limits())
            #expect(head.status == 200 && head.body.isEmpty && head.headers["content-length"] == "5")
            let empty = try client.perform(
                HTTPRequest("PUT", try HTTPAddress(origin + "/echo")), limits: Self.limits())
            #expect(String(decoding: empty.body, as: UTF8.self).contains("\"bytes\": 0"))
        }
        withExtendedLifetime(server) {}
    }

    @Test("connections are kept where asked for, one per exchange at a time, and replaced when the server closed them")
    func connections() async throws {
        let server = try WebServer()
        let origin = server.origin
        try await onThread {
            func port(_ client: HTTPExchanger, _ path: String = "/echo") throws -> Int? {
                let response = try client.perform(
                    HTTPRequest("GET", try HTTPAddress(origin + path)), limits: Self.limits())
                let seen = try? JSONSerialization.jsonObject(with: Data(response.body)) as? [String: Any]
                return seen?["port"] as? Int
            }
            let single = HTTPExchanger()
            #expect(try port(single) != port(single))
            let kept = HTTPExchanger(connections: HTTPConnections(limit: 2))
            let first = try #require(try port(kept))
            for _ in 0..<5 { #expect(try port(kept) == first) }
            // An exchange that fails takes its connection with it, and no other.
            #expect(
                Self.failure {
                    try kept.perform(
                        HTTPRequest("GET", try HTTPAddress(origin + "/slow")), limits: Self.limits(0.3))
                } == .timedOut)
            let second = try #require(try port(kept))
            #expect(second != first)
            #expect(try port(kept) == second)
            // The server ends this one after its answer.
            _ = try kept.perform(
                HTTPRequest("GET", try HTTPAddress(origin + "/last")), limits: Self.limits())
            #expect(try port(kept) != second)
        }
        withExtendedLifetime(server) {}
    }

    @Test("many exchanges share kept connections")
    func sharedConnections() async throws {
        let server = try WebServer()
        let origin = server.origin
        let client = HTTPExchanger(connections: HTTPConnections(limit: 2))
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<8 {
                group.addTask {
                    try await onThread {
                        for _ in 0..<20 {
                            let address = try HTTPAddress(origin + "/echo")
                            let text = Array("\(number)".utf8)
                            let response = try client.perform(
                                HTTPRequest("POST", address, body: .bytes(text)), limits: Self.limits())
                            #expect(response.status == 200)
                        }
                    }
                }
            }
            try await group.waitForAll()
        }
        withExtendedLifetime(server) {}
    }

    @Test("every status is an answer, and a redirect is not followed")
    func statuses() async throws {
        let server = try WebServer()
        let origin = server.origin
        try await onThread {
            for status in [404, 500] {
                let url = try HTTPAddress(origin + "/status/\(status)")
                let response = try HTTPExchanger().perform(HTTPRequest("GET", url), limits: Self.limits())
                #expect(response.status == status && response.body == Array("so".utf8))
            }
            let url = try HTTPAddress(origin + "/redirect")
            let response = try HTTPExchanger().perform(HTTPRequest("GET", url), limits: Self.limits())
            #expect(response.status == 302 && response.headers["location"] == "/hello")
        }
        withExtendedLifetime(server) {}
    }

    @Test("a slow server is left at the deadline, and at once when the caller stops")
    func stops() async throws {
        let server = try WebServer()
        let origin = server.origin
        try await onThread {
            let request = HTTPRequest("GET", try HTTPAddress(origin + "/slow"))
            let began = ContinuousClock.now
            #expect(Self.failure { try HTTPExchanger().perform(request, limits: Self.limits(0.2)) } == .timedOut)
            var ends: [Int32] = [0, 0]
            pipe(&ends)
            let writing = ends[1]
            Thread.detachNewThread {
                usleep(200_000)
                _ = write(writing, "x", 1)
            }
            let stopped = Self.failure {
                try HTTPExchanger().perform(request, limits: Self.limits(20, cancelFD: ends[0]))
            }
            #expect(stopped == .cancelled)
            #expect(began.duration(to: .now) < .seconds(5))
            close(ends[0])
            close(ends[1])
        }
        withExtendedLifetime(server) {}
    }

    @Test("bodies stream both ways, and what is too large to collect is refused")
    func streams() async throws {
        let server = try WebServer()
        let origin = server.origin
        try await onThread {
            let big = HTTPRequest("GET", try HTTPAddress(origin + "/big/\(100 << 20)"))
            #expect(Self.failure { try HTTPExchanger().perform(big, limits: Self.limits()) } == .tooLarge)
            let before = Self.residentKiB()
            let count = Mutex(0)
            let response = try HTTPExchanger().perform(big, limits: Self.limits(60)) { bytes in
                count.withLock { $0 += bytes.count }
                return true
            }
            #expect(response.body.isEmpty && count.withLock { $0 } == 100 << 20)
            #expect(Self.residentKiB() - before < 16 << 10)
            let refused = Self.failure { try HTTPExchanger().perform(big, limits: Self.limits()) { _ in false } }
            #expect(refused == .streamFailed)
            let left = Mutex(10 << 20)
            let upload = HTTPRequest(
                "PUT", try HTTPAddress(origin + "/echo"),
                body: .stream(length: nil) { buffer in
                    left.withLock { left in
                        let part = min(left, buffer.count)
                        left -= part
                        buffer.prefix(part).forEachIndex { buffer[$0] = 0x61 }
                        return part
                    }
                })
            let stored = try HTTPExchanger().perform(upload, limits: Self.limits(60))
            #expect(String(decoding: stored.body, as: UTF8.self).contains("\"bytes\": \(10 << 20)"))
            let broken = HTTPRequest("PUT", upload.url, body: .stream(length: nil) { _ in nil })
            #expect(Self.failure { try HTTPExchanger().perform(broken, limits: Self.limits()) } == .streamFailed)
        }
        withExtendedLifetime(server) {}
    }

    @Test("a server that is not there is unavailable")
    func absent() async throws {
        try await onThread {
            let request = HTTPRequest("GET", try HTTPAddress("http://127.0.0.1:1/"))
            #expect(Self.failure { try HTTPExchanger().perform(request, limits: Self.limits()) } == .unavailable)
        }
    }

    @Test(
        "what is no plain http URL is refused",
        arguments: [
            "", "ftp://h/", "file:///etc/passwd", "http://", "http://u:p@h/", "http://u@h/", "//h/", "h",
            "http://h:99999/",
            "http://h\0.example/", "javascript:1", "http://a b/",
        ])
    func urls(_ text: String) {
        #expect(Self.failure { try HTTPAddress(text) } == .invalidRequest)
    }

    @Test("an origin has its default port, and names are compared in lower case")
    func origins() throws {
        #expect(try HTTPAddress("HTTPS://Example.org/a?b").origin.description == "https://example.org:443")
        #expect(try HTTPAddress("http://[::1]:8080").origin.description == "http://[::1]:8080")
        #expect(try HTTPAddress("http://h").isOrigin)
        #expect(try !HTTPAddress("http://h/a").isOrigin)
        #expect(try HTTPAddress("http://h/a#b").text == "http://h/a")
    }

    @Test("headers that would forge a second request, and the connection's own, are refused")
    func headers() throws {
        let url = try HTTPAddress("http://127.0.0.1:1/")
        for header in [
            ("X", "a\r\nY: b"), ("X\r\nY", "a"), ("", "a"), ("X", "\0"), ("Host", "h"), ("A B", "c"),
            ("Content-Length", "5"), ("transfer-encoding", "chunked"),
        ] {
            let request = HTTPRequest("GET", url, headers: [(name: header.0, value: header.1)])
            #expect(Self.failure { try HTTPExchanger().perform(request, limits: Self.limits()) } == .invalidRequest)
        }
        for method in ["", "get", "G ET", "GET\r\n"] {
            let request = HTTPRequest(method, url)
            #expect(Self.failure { try HTTPExchanger().perform(request, limits: Self.limits()) } == .invalidRequest)
        }
    }

    private static func residentKiB() -> Int {
        let text = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
        let line = text.split(separator: "\n").first { $0.hasPrefix("VmRSS:") } ?? ""
        return line.split(separator: " ").compactMap { Int($0) }.first ?? 0
    }
}

extension Slice<UnsafeMutableRawBufferPointer> {
    fileprivate func forEachIndex(_ body: (Int) -> Void) { for index in indices { body(index) } }
}
