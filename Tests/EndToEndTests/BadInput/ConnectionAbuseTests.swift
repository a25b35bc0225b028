// SPDX-License-Identifier: Apache-2.0

import Foundation
import Model
import Testing

extension EndToEnd {
    /// Connections that no honest client makes cost themselves, and nobody else.
    @Suite("Abuse of connections", .serialized)
    struct ConnectionAbuseTests {
        private static let environment = [
            "TROVE_API_RATE_LIMIT_PER_MINUTE": "0", "TROVE_API_IDLE_TIMEOUT": "6", "TROVE_API_HEAD_TIMEOUT": "2",
            "TROVE_API_BODY_TIMEOUT": "3", "TROVE_API_MAX_CONNECTIONS": "1100",
        ]

        @Test("are answered or cut off, hold nobody up, and leave no memory taken", .timeLimit(.minutes(4)))
        func connections() async throws {
            try await ControlPlane.with(environment: Self.environment) { plane in
                let client = try await RESTClient.login(plane)
                let caller = AbuseCaller(client)
                try await malformed(plane.port, caller)
                try await unusual(plane.port, caller)
                try await halves(plane.port, caller)
                try await pipelined(plane.port, caller)
                try await slow(plane.port, caller)
                try await unread(plane.port)
                try await idle(plane, caller)
                #expect(try await client.must("GET", "/instances")["instances"] == [])
                #expect(!plane.logTail(100_000).contains("uncaught error"))
            }
        }

        // MARK: What is no request

        /// Each is refused with one fault, and the connection ends: nothing behind it is taken for a request.
        private func malformed(_ port: UInt16, _ caller: AbuseCaller) async throws {
            let path = "/v1.0/\(caller.project)/flavors"
            let token = "X-Auth-Token: \(caller.token)\r\n"
            let start = "GET \(path) HTTP/1.1\r\nHost: h\r\n\(token)"
            let post = "POST /v1.0/\(caller.project)/instances HTTP/1.1\r\nHost: h\r\n\(token)"
            let hidden = "GET /v1.0/\(caller.project)/limits HTTP/1.1\r\nHost: h\r\n\(token)\r\n"
            let long = String(repeating: "a", count: 200_000)
            let many = (0..<2000).map { "X-\($0): a\r\n" }.joined()
            let cases: [(String, String)] = [
                ("both lengths", "\(post)Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n\(hidden)"),
                ("both, turned", "\(post)Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n\(hidden)"),
                ("two lengths", "\(post)Content-Length: 4\r\nContent-Length: 6\r\n\r\n{}{}\(hidden)"),
                ("two equal lengths", "\(post)Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}\(hidden)"),
                ("a list of lengths", "\(post)Content-Length: 2, 2\r\n\r\n{}\(hidden)"),
                ("a signed length", "\(post)Content-Length: +2\r\n\r\n{}\(hidden)"),
                ("a negative length", "\(post)Content-Length: -2\r\n\r\n{}\(hidden)"),
                ("a hexadecimal length", "\(post)Content-Length: 0x2\r\n\r\n{}\(hidden)"),
                ("a length past 64 bits", "\(post)Content-Length: 18446744073709551618\r\n\r\n{}\(hidden)"),

                ("chunked, and something after", "\(post)Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n\(hidden)"),
                ("a chunk's size", "\(post)Transfer-Encoding: chunked\r\n\r\n-1\r\n{}\r\n0\r\n\r\n\(hidden)"),
                (
                    "a chunk's size past 64 bits",
                    "\(post)Transfer-Encoding: chunked\r\n\r\n10000000000000002\r\n{}\r\n0\r\n\r\n\(hidden)"
                ),
                ("a space before the colon", "\(post)Content-Length : 2\r\n\r\n{}\(hidden)"),
                ("a folded header", "\(start)X-A: a\r\n b\r\n\r\n\(hidden)"),
                ("a folded length", "\(post)Content-Length:\r\n 2\r\n\r\n{}\(hidden)"),
                ("a space before the first header", "GET \(path) HTTP/1.1\r\n Host: h\r\n\(token)\r\n\(hidden)"),
                ("CR in a value", "\(start)X-A: a\rX-B: b\r\n\r\n\(hidden)"),
                ("LF in a value", "\(start)X-A: a\n\nX-B: b\r\n\r\n\(hidden)"),
                ("NUL in a value", "\(start)X-A: a\u{0}b\r\n\r\n\(hidden)"),
                ("a header without a name", "\(start): a\r\n\r\n\(hidden)"),
                ("a header without a colon", "\(start)X-A\r\n\r\n\(hidden)"),
                ("a space in the path", "GET \(path) x HTTP/1.1\r\nHost: h\r\n\r\n\(hidden)"),
                ("no host", "GET \(path) HTTP/1.1\r\n\(token)Connection: close\r\n\r\n"),
                ("two hosts", "\(start)Host: i\r\nConnection: close\r\n\r\n"),
                ("a host that is none", "GET / HTTP/1.1\r\nHost: a b\r\nConnection: close\r\n\r\n"),
                ("no version", "GET \(path)\r\n\r\n"), ("version 3", "GET / HTTP/3.0\r\nHost: h\r\n\r\n"),
                ("another protocol", "GET / ICE/1.0\r\nHost: h\r\n\r\n"),
                ("HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\u{0}\u{0}\u{0}\u{4}\u{0}\u{0}\u{0}\u{0}\u{0}"),
                ("a TLS client", "\u{16}\u{3}\u{1}\u{2}\u{0}\u{1}\u{0}\u{1}\u{fc}\u{3}\u{3}\r\n\r\n"),
                ("a verb that is none", "BREW / HTTP/1.1\r\nHost: h\r\n\r\n"), ("zeros", "\u{0}\u{0}\r\n\r\n"),
                ("a long line", "GET /\(long) HTTP/1.1\r\nHost: h\r\n\r\n"),
                ("a long header", "\(start)X-A: \(long)\r\n\r\n"),
                ("many headers", "\(start)\(many)\r\n"),
            ]
            for (what, text) in cases {
                let (first, rest, isClosed) = try await onQueue {
                    let lane = RequestLane(port: port, seconds: 5)
                    try lane.open()
                    lane.send(Array(text.utf8))
                    let first = lane.receive()
                    let (isClosed, rest) = lane.waitForEnd()
                    return (first, rest, isClosed)
                }
                let isTooLong = what.hasPrefix("a long") || what.hasPrefix("many")
                let statuses = isTooLong ? [400, 414, 431] : [400]
                #expect(statuses.contains(first.status), "\(what): \(first.head)")
                #expect(first.fault != nil, "\(what): \(first.head) \(String(decoding: first.body, as: UTF8.self))")
                #expect(isClosed && rest.isEmpty, "\(what): \(rest.prefix(300))")
            }
            try await served(port, caller, "after what was malformed")
        }

        /// What is rare and right is answered.
        private func unusual(_ port: UInt16, _ caller: AbuseCaller) async throws {
            let token = "X-Auth-Token: \(caller.token)\r\n"
            let path = "/v1.0/\(caller.project)/flavors"
            let body = #"{"instance":{}}"#
            let json = "Content-Type: application/json\r\n"
            let cases: [(String, String, Int)] = [
                ("HTTP/1.0", "GET \(path) HTTP/1.0\r\n\(token)\r\n", 200),
                ("absolute form", "GET http://h\(path) HTTP/1.1\r\nHost: h\r\n\(token)\r\n", 200),
                ("an empty line before", "\r\nGET \(path) HTTP/1.1\r\nHost: h\r\n\(token)\r\n", 200),
                ("asterisk form", "OPTIONS * HTTP/1.1\r\nHost: h\r\n\(token)\r\n", 404),
                (
                    "a coding on top of chunked",
                    "POST /v1.0/\(caller.project)/instances HTTP/1.1\r\nHost: h\r\n\(token)"
                        + "\(json)Transfer-Encoding: gzip, chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
                    501
                ),
                ("a fragment", "GET \(path)#x HTTP/1.1\r\nHost: h\r\n\(token)\r\n", 404),
                (
                    "an upgrade",
                    "GET \(path) HTTP/1.1\r\nHost: h\r\n\(token)Upgrade: h2c\r\nConnection: Upgrade\r\n\r\n", 200
                ),
                (
                    "Expect",
                    "POST /v1.0/\(caller.project)/instances HTTP/1.1\r\nHost: h\r\n\(token)"
                        + "\(json)Expect: 100-continue\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)",
                    400
                ),
                (
                    "chunks with extensions and trailers",
                    "POST /v1.0/\(caller.project)/instances HTTP/1.1\r\nHost: h\r\n\(token)"
                        + "\(json)Transfer-Encoding: chunked\r\n\r\n2;a=b\r\n{}\r\n0\r\nX-T: t\r\n\r\n",
                    400
                ),
            ]
            for (what, text, status) in cases {
                let reply = try await onQueue { try RequestLane(port: port, seconds: 5).exchange(Array(text.utf8)) }
                #expect(reply.status == status, "\(what): \(reply.head) \(String(decoding: reply.body, as: UTF8.self))")
            }
            let (head, next) = try await onQueue {
                let lane = RequestLane(port: port, seconds: 5)
                let head = try lane.exchange(caller.request("HEAD", "/flavors"), hasBody: false)
                return (head, try lane.exchange(caller.request("GET", "/flavors")))
            }
            #expect(
                head.status == 404 && next.status == 200 && next.head.hasPrefix("HTTP/1.1 200"), "\(head) \(next.head)")
        }

        /// Clients that send no more, with a whole request before it and with half of one.
        private func halves(_ port: UInt16, _ caller: AbuseCaller) async throws {
            let request = caller.request("GET", "/flavors")
            let unfinished = caller.request("POST", "/instances", "Content-Length: 100\r\n") + Array("{".utf8)
            for (bytes, isWhole) in [(request, true), (Array(request.dropLast(10)), false), (unfinished, false)] {
                let (isClosed, text) = try await onQueue {
                    let lane = RequestLane(port: port, seconds: 5)
                    try lane.open()
                    lane.send(bytes)
                    lane.closeOutput()
                    return lane.waitForEnd()
                }
                #expect(isClosed && text.hasPrefix("HTTP/1.1 2") == isWhole, "\(bytes.count) bytes: \(text)")
            }
        }

        private func pipelined(_ port: UInt16, _ caller: AbuseCaller) async throws {
            let count = 1000
            let requests = (0..<count).flatMap { caller.request("GET", "/instances/number-\($0)") }
            let (wrong, seconds) = try await onQueue {
                let began = ContinuousClock.now
                let lane = RequestLane(port: port, seconds: 10)
                try lane.open()
                // Both ways at once: what is answered is not held back until all is sent.
                let sending = DispatchGroup()
                DispatchQueue.global().async(group: sending) { lane.send(requests) }
                var wrong: [String] = []
                for number in 0..<count {
                    let reply = lane.receive()
                    let isRight =
                        reply.status == 404 && reply.fault?.message == "Resource number-\(number) cannot be found."
                    if !isRight { wrong.append("\(number): \(reply.head.prefix(100)) \(reply.fault?.message ?? "")") }
                    if reply.status == 0 { break }
                }
                sending.wait()
                return (wrong, began.secondsToNow)
            }
            #expect(wrong == [])
            print("\(count) pipelined requests in \(seconds) s")
        }

        // MARK: Slow clients

        /// Heads and bodies that trickle are cut off, and do not hold up others meanwhile.
        private func slow(_ port: UInt16, _ caller: AbuseCaller) async throws {
            let head = caller.request("GET", "/flavors", "X-Slow: \(String(repeating: "a", count: 2000))\r\n")
            let body =
                caller.request(
                    "POST", "/instances", "Content-Type: application/json\r\nContent-Length: 5000\r\n")
                + Array(repeating: UInt8(ascii: " "), count: 4000)
            async let heads = trickle(port, head, atOnce: 20, lanes: 60)
            async let bodies = trickle(port, body, atOnce: body.count - 4000, lanes: 60)
            for _ in 0..<10 {
                try await served(port, caller, "beside slow clients")
                try await Task.sleep(for: .milliseconds(200))
            }
            let cut = try await (heads, bodies)
            #expect(cut.0.count == 60 && cut.0.allSatisfy { $0.isClosed && $0.seconds < 6 }, "\(cut.0.prefix(3))")
            #expect(cut.1.count == 60 && cut.1.allSatisfy { $0.isClosed && $0.seconds < 8 }, "\(cut.1.prefix(3))")
        }

        /// Sends a byte every 100 ms on each of the connections until the server closes it; when that was.
        private func trickle(
            _ port: UInt16, _ bytes: [UInt8], atOnce: Int, lanes count: Int
        ) async throws -> [(isClosed: Bool, seconds: Double)] {
            try await onQueue {
                let began = ContinuousClock.now
                var open: [RequestLane] = []
                for _ in 0..<count {
                    let lane = RequestLane(port: port)
                    try lane.open()
                    lane.send(Array(bytes.prefix(atOnce)))
                    open.append(lane)
                }
                var ended: [(isClosed: Bool, seconds: Double)] = []
                for byte in bytes.dropFirst(atOnce) where !open.isEmpty && began.secondsToNow < 15 {
                    usleep(100_000)
                    open.removeAll { lane in
                        guard lane.hasEnded else {
                            lane.send([byte])
                            return false
                        }
                        ended.append((true, began.secondsToNow))
                        return true
                    }
                }
                return ended + open.map { _ in (false, began.secondsToNow) }
            }
        }

        /// A client that never reads what it asked for is cut off.
        private func unread(_ port: UInt16) async throws {
            let count = 200
            let request = Array("GET /v1.0/openapi.json HTTP/1.1\r\nHost: h\r\n\r\n".utf8)
            let (isClosed, text) = try await onQueue {
                let lane = RequestLane(port: port, seconds: 5, receiveBuffer: 4096)
                try lane.open()
                lane.send(Array(repeating: request, count: count).flatMap(\.self))
                sleep(7)
                return lane.waitForEnd()
            }
            let answers = text.components(separatedBy: "HTTP/1.1 200").count - 1
            #expect(isClosed && answers < count, "\(answers) answers, closed: \(isClosed)")
        }

        /// A thousand connections that say nothing: others are served at once, and the silent ones end.
        private func idle(_ plane: ControlPlane, _ caller: AbuseCaller) async throws {
            let port = plane.port
            try await served(port, caller, "before idle connections")
            let before = try plane.memory()
            var lanes = try await Self.open(1000, port)
            try await served(port, caller, "beside 1,000 idle connections")
            let with = try plane.memory()
            #expect(with - before < 64, "\(before) MiB before, \(with) with 1,000 idle connections")
            // More than the service takes: the ones that have been silent for longest make room.
            try await Task.sleep(for: .seconds(1))
            lanes += try await Self.open(200, port)
            try await served(port, caller, "beside more idle connections than there is room for")
            let began = ContinuousClock.now
            try await eventually(12, "idle connections are closed") { [lanes] in lanes.allSatisfy(\.hasEnded) }
            print(
                "idle connections: \(before) MiB before, \(with) with 1,000; closed after \(began.secondsToNow) s more")
            lanes = []
            let after = try plane.memory()
            #expect(after - before < 64, "\(before) MiB before, \(after) after")
        }

        private static func open(_ count: Int, _ port: UInt16) async throws -> [RequestLane] {
            try await onQueue {
                try (0..<count).map { _ in
                    let lane = RequestLane(port: port)
                    try lane.open()
                    return lane
                }
            }
        }

        /// Somebody else is answered soon.
        private func served(_ port: UInt16, _ caller: AbuseCaller, _ when: String) async throws {
            let reply = try await onQueue {
                try RequestLane(port: port, seconds: 10).exchange(caller.request("GET", "/flavors"))
            }
            #expect(reply.status == 200 && reply.seconds < 2, "\(when): \(reply.status) after \(reply.seconds) s")
        }
    }
}
