// SPDX-License-Identifier: Apache-2.0

import Messaging
import Model
import TestSupport
import Testing

@Suite("LocalHubBus", .timeLimit(.minutes(1)))
struct LocalHubBusTests {
    private let echo = ClosureEndpoint { request in .object(request.arguments) }

    @Test("a call returns the endpoint's result; the endpoint sees method, version, context, kind and deadline")
    func call() async throws {
        try await withHub { hub in
            let seen = Recorder<RPCRequest>()
            try await hub.client("server").serve(
                topic: "t", server: "s",
                endpoint: ClosureEndpoint { request in
                    seen.append(request)
                    return ["n": 1, "d": 1.0]
                })
            let result = try await hub.client("client").ask("t", "m", ["a": .null], version: "1.2")
            #expect(result == ["n": 1, "d": 1.0])
            let request = try #require(seen.values.first)
            #expect(request.method == "m" && request.version == "1.2" && request.arguments == ["a": JSONValue.null])
            #expect(request.context == .test && request.isCall)
            let left = try #require(request.deadline?.remaining)
            #expect(left > .seconds(5) && left <= .seconds(10))
        }
    }

    @Test("a server is reached under the topic, under its own name and by a cast to all")
    func addresses() async throws {
        try await withHub { hub in
            let seen = Recorder<String>()
            for server in ["s1", "s2"] {
                try await hub.client(server).serve(
                    topic: "t", server: server,
                    endpoint: ClosureEndpoint { _ in
                        seen.append(server)
                        return .string(server)
                    })
            }
            let client = hub.client("client")
            #expect(try await client.ask("t.s2", "who") == "s2")
            #expect(try await client.ask("t.s1", "who") == "s1")
            try await client.castToAll("t", "x", [:], context: .test, version: "1.0")
            #expect(Set(await seen.wait(for: 4).suffix(2)) == ["s1", "s2"])
        }
    }

    @Test("calls take turns between the servers of a topic")
    func roundRobin() async throws {
        try await withHub { hub in
            for server in ["s1", "s2", "s3"] {
                try await hub.client(server).serve(
                    topic: "t", server: server, endpoint: ClosureEndpoint { _ in .string(server) })
            }
            let client = hub.client("client")
            var counts: [JSONValue: Int] = [:]
            for _ in 0..<9 { counts[try await client.ask("t", "who"), default: 0] += 1 }
            #expect(counts == ["s1": 3, "s2": 3, "s3": 3])
        }
    }

    @Test("64 calls run at once, more wait for their turn")
    func concurrency() async throws {
        try await withHub { hub in
            let started = Recorder<Int>()
            let gate = Recorder<Bool>()
            try await hub.client("server", .init(concurrency: 64)).serve(
                topic: "t", server: "s",
                endpoint: ClosureEndpoint { request in
                    started.append(1)
                    _ = await gate.wait(for: 1)
                    return request.arguments["n"] ?? .null
                })
            let client = hub.client("client")
            try await withThrowingTaskGroup(of: (Int, JSONValue).self) { group in
                for number in 0..<100 {
                    group.addTask { (number, try await client.ask("t", "m", ["n": .int(Int64(number))])) }
                }
                #expect(await started.wait(for: 64).count == 64)
                gate.append(true)
                for try await (number, result) in group { #expect(result == .int(Int64(number))) }
            }
            #expect(started.values.count == 100)
        }
    }

    @Test("two megabytes go there and back")
    func large() async throws {
        try await withHub { hub in
            try await hub.client("server").serve(topic: "t", server: "s", endpoint: echo)
            let text = String(repeating: "0123456789abcdé\n", count: 125_000)
            let result = try await hub.client("client").ask("t", "m", ["text": .string(text)], timeout: .seconds(50))
            #expect(result["text"]?.stringValue?.utf8.count == text.utf8.count)
        }
    }

    @Test("a message above 16 MiB is refused by the sender")
    func tooLarge() async throws {
        try await withHub { hub in
            let client = hub.client("client")
            try await client.declare(topic: "t", server: "s")
            let text = String(repeating: "x", count: 17 << 20)
            let error = await #expect(throws: MessagingError.self) {
                try await client.tell("t", "m", ["x": .string(text)])
            }
            #expect(error?.code == .badMessage && error?.isRetryable == false)
        }
    }

    @Test("calls and casts to a topic that nobody declared fail at once")
    func undeclared() async throws {
        try await withHub { hub in
            let client = hub.client("client")
            let call = await #expect(throws: MessagingError.self) { try await client.ask("nobody", "m") }
            let cast = await #expect(throws: MessagingError.self) { try await client.tell("nobody", "m") }
            #expect(call?.code == .unavailable && cast?.code == .unavailable)
            #expect(call?.message.contains("nobody serves nobody") == true)
        }
    }

    @Test("casts wait in a declared queue for a server that comes later; a forgotten queue is gone")
    func declared() async throws {
        try await withHub { hub in
            let client = hub.client("client")
            try await client.declare(topic: "t", server: "s")
            try await client.declare(topic: "t", server: "s")
            for number in 0..<3 { try await client.tell("t", "m", ["n": .int(Int64(number))]) }
            let seen = Recorder<RPCRequest>()
            try await hub.client("server").serve(
                topic: "t", server: "s",
                endpoint: ClosureEndpoint { request in
                    seen.append(request)
                    return .null
                })
            #expect(await seen.wait(for: 3).allSatisfy { !$0.isCall })
            try await client.forget(topic: "t", server: "s")
            try await client.forget(topic: "t", server: "s")
            let error = await #expect(throws: MessagingError.self) { try await client.tell("t", "m") }
            #expect(error?.code == .unavailable)
        }
    }

    @Test("a call that nobody takes in time times out, and is not run by a server that comes later")
    func expiry() async throws {
        try await withHub { hub in
            let client = hub.client("client")
            try await client.declare(topic: "t", server: "s")
            let error = await #expect(throws: MessagingError.self) {
                try await client.ask("t", "late", timeout: .milliseconds(50))
            }
            #expect(error?.code == .timedOut)
            try await client.tell("t", "cast")
            let seen = Recorder<String>()
            try await hub.client("server").serve(
                topic: "t", server: "s",
                endpoint: ClosureEndpoint { request in
                    seen.append(request.method)
                    return .null
                })
            _ = await seen.wait(for: 1)
            #expect(try await client.ask("t", "call") == .null)
            #expect(seen.values == ["cast", "call"])
        }
    }

    @Test("a reply after the timeout is dropped, and the next call gets its own")
    func lateReply() async throws {
        try await withHub { hub in
            let gate = Recorder<Bool>()
            try await hub.client("server").serve(
                topic: "t", server: "s",
                endpoint: ClosureEndpoint { request in
                    if request.method == "slow" { _ = await gate.wait(for: 1) }
                    return .string(request.method)
                })
            let client = hub.client("client")
            let error = await #expect(throws: MessagingError.self) {
                try await client.ask("t", "slow", timeout: .milliseconds(50))
            }
            #expect(error?.code == .timedOut && error?.isRetryable == true)
            gate.append(true)
            #expect(try await client.ask("t", "fast") == "fast")
        }
    }

    @Test("a full queue refuses with its name")
    func full() async throws {
        try await withHub(HubLimits(messagesPerQueue: 3, settling: .zero)) { hub in
            let client = hub.client("client")
            try await client.declare(topic: "t", server: "s")
            for _ in 0..<3 { try await client.tell("t", "m") }
            let error = await #expect(throws: MessagingError.self) { try await client.tell("t", "m") }
            #expect(error?.code == .unavailable && error?.message.contains("t is full") == true)
        }
    }

    @Test("a slow server leaves what it cannot begin to a faster one, and holds up nobody")
    func slowConsumer() async throws {
        try await withHub(HubLimits(unacknowledgedMessages: 2, settling: .zero)) { hub in
            let gate = Recorder<Bool>()
            let seen = Recorder<String>()
            try await hub.client("slow", .init(concurrency: 1, drain: .seconds(2))).serve(
                topic: "t", server: "slow",
                endpoint: ClosureEndpoint { _ in
                    seen.append("slow")
                    _ = await gate.wait(for: 1)
                    return .null
                })
            let client = hub.client("client")
            for _ in 0..<10 { try await client.tell("t", "m") }
            try await hub.client("fast").serve(
                topic: "t", server: "fast",
                endpoint: ClosureEndpoint { _ in
                    seen.append("fast")
                    return .null
                })
            let early = await seen.wait(for: 8)
            #expect(early.filter { $0 == "slow" }.count == 1)
            gate.append(true)
            #expect(await seen.wait(for: 10).count == 10)
        }
    }

    @Test("failures come back with class, module and code")
    func failures() async throws {
        try await withHub { hub in
            try await hub.client("server").serve(
                topic: "t", server: "s",
                endpoint: ClosureEndpoint { request in
                    throw request.method == "gone"
                        ? RPCFault.noSuchMethod("gone") : RPCFault(className: "UserNotFound", message: "no u")
                })
            let client = hub.client("client")
            let own = await #expect(throws: MessagingError.self) { try await client.ask("t", "m") }
            #expect(own?.code == .remote)
            #expect(
                own?.failure
                    == RPCFailure(className: "UserNotFound", module: "trove.common.exception", message: "no u"))
            let gone = await #expect(throws: MessagingError.self) { try await client.ask("t", "gone") }
            #expect(gone?.code == .noSuchMethod)
            let version = await #expect(throws: MessagingError.self) { try await client.ask("t", "m", version: "9.0") }
            #expect(version?.code == .unsupportedVersion)
        }
    }

    @Test("a cancelled call ends at once")
    func cancellation() async throws {
        try await withHub { hub in
            let started = Recorder<Bool>()
            try await hub.client("server", .init(drain: .milliseconds(10))).serve(
                topic: "t", server: "s",
                endpoint: ClosureEndpoint { _ in
                    started.append(true)
                    try await Task.sleep(for: .seconds(60))
                    return .null
                })
            let client = hub.client("client")
            let task = Task { try await client.ask("t", "m", timeout: .seconds(60)) }
            _ = await started.wait(for: 1)
            task.cancel()
            let error = await #expect(throws: MessagingError.self) { try await task.value }
            #expect(error?.code == .cancelled)
        }
    }

    @Test("one bus serves several topics, each server name once")
    func severalTopics() async throws {
        try await withHub { hub in
            let bus = hub.client("both")
            for topic in ["a", "b"] {
                try await bus.serve(topic: topic, server: "s", endpoint: ClosureEndpoint { _ in .string(topic) })
            }
            #expect(try await bus.ask("a", "m") == "a")
            #expect(try await bus.ask("b", "m") == "b")
            let error = await #expect(throws: MessagingError.self) {
                try await bus.serve(topic: "a", server: "s", endpoint: echo)
            }
            #expect(error?.code == .badMessage)
        }
    }
}
