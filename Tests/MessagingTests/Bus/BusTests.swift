// SPDX-License-Identifier: Apache-2.0

import Messaging
import Model
import TestSupport
import Testing

@Suite("MessageBus", .timeLimit(.minutes(5)))
struct BusTests {
    private let echo = ClosureEndpoint { request in .object(request.arguments) }

    @Test(
        "a call returns the endpoint's result; the endpoint sees method, version, context, kind and deadline",
        arguments: BusKind.allCases)
    func call(kind: BusKind) async throws {
        try await withBus(kind) { bus in
            let seen = Recorder<RPCRequest>()
            try await bus.client("server").serve(
                topic: bus.topic("t"), server: "s",
                endpoint: ClosureEndpoint { request in
                    seen.append(request)
                    return ["n": 1, "d": 1.0]
                })
            let result = try await bus.client("client").ask(bus.topic("t"), "m", ["a": .null], version: "1.2")
            #expect(result == ["n": 1, "d": 1.0])
            let request = try #require(seen.values.first)
            #expect(request.method == "m" && request.version == "1.2" && request.arguments == ["a": JSONValue.null])
            #expect(request.context == .test && request.isCall)
            let left = try #require(request.deadline?.remaining)
            #expect(left > .seconds(5) && left <= .seconds(10))
        }
    }

    @Test("a server is reached under the topic, under its own name and by a cast to all", arguments: BusKind.allCases)
    func addresses(kind: BusKind) async throws {
        try await withBus(kind) { bus in
            let seen = Recorder<String>()
            for server in ["s1", "s2"] {
                try await bus.client(server).serve(
                    topic: bus.topic("t"), server: server,
                    endpoint: ClosureEndpoint { _ in
                        seen.append(server)
                        return .string(server)
                    })
            }
            let client = bus.client("client")
            #expect(try await client.ask(bus.topic("t") + ".s2", "who") == "s2")
            #expect(try await client.ask(bus.topic("t") + ".s1", "who") == "s1")
            try await client.castToAll(bus.topic("t"), "x", [:], context: .test, version: "1.0")
            #expect(Set(await seen.wait(for: 4).suffix(2)) == ["s1", "s2"])
        }
    }

    @Test("calls take turns between the servers of a topic", arguments: BusKind.allCases)
    func roundRobin(kind: BusKind) async throws {
        try await withBus(kind) { bus in
            for server in ["s1", "s2", "s3"] {
                try await bus.client(server).serve(
                    topic: bus.topic("t"), server: server, endpoint: ClosureEndpoint { _ in .string(server) })
            }
            let client = bus.client("client")
            var counts: [JSONValue: Int] = [:]
            for _ in 0..<9 { counts[try await client.ask(bus.topic("t"), "who"), default: 0] += 1 }
            #expect(counts == ["s1": 3, "s2": 3, "s3": 3])
        }
    }

    @Test("64 calls run at once, more wait for their turn", arguments: BusKind.allCases)
    func concurrency(kind: BusKind) async throws {
        try await withBus(kind) { bus in
            let started = Recorder<Int>()
            let gate = Recorder<Bool>()
            try await bus.client("server", .init(concurrency: 64)).serve(
                topic: bus.topic("t"), server: "s",
                endpoint: ClosureEndpoint { request in
                    started.append(1)
                    _ = await gate.wait(for: 1)
                    return request.arguments["n"] ?? .null
                })
            let client = bus.client("client")
            try await withThrowingTaskGroup(of: (Int, JSONValue).self) { group in
                for number in 0..<100 {
                    group.addTask { (number, try await client.ask(bus.topic("t"), "m", ["n": .int(Int64(number))])) }
                }
                #expect(await started.wait(for: 64).count == 64)
                gate.append(true)
                for try await (number, result) in group { #expect(result == .int(Int64(number))) }
            }
            #expect(started.values.count == 100)
        }
    }

    @Test("two megabytes go there and back", arguments: BusKind.allCases)
    func large(kind: BusKind) async throws {
        try await withBus(kind) { bus in
            try await bus.client("server").serve(topic: bus.topic("t"), server: "s", endpoint: echo)
            let text = String(repeating: "0123456789abcdé\n", count: 125_000)
            let result = try await bus.client("client").ask(
                bus.topic("t"), "m", ["text": .string(text)], timeout: .seconds(50))
            #expect(result["text"]?.stringValue?.utf8.count == text.utf8.count)
        }
    }

    @Test("a message above 16 MiB is refused by the sender", arguments: BusKind.allCases)
    func tooLarge(kind: BusKind) async throws {
        try await withBus(kind) { bus in
            let client = bus.client("client")
            try await client.declare(topic: bus.topic("t"), server: "s")
            let text = String(repeating: "x", count: 17 << 20)
            let error = await #expect(throws: MessagingError.self) {
                try await client.tell(bus.topic("t"), "m", ["x": .string(text)])
            }
            #expect(error?.code == .badMessage && error?.isRetryable == false)
        }
    }

    @Test("calls and casts to a topic that nobody declared fail at once", arguments: BusKind.allCases)
    func undeclared(kind: BusKind) async throws {
        try await withBus(kind) { bus in
            let client = bus.client("client")
            let call = await #expect(throws: MessagingError.self) { try await client.ask("nobody", "m") }
            let cast = await #expect(throws: MessagingError.self) { try await client.tell("nobody", "m") }
            #expect(call?.code == .unavailable && cast?.code == .unavailable)
            #expect(call?.message.contains("nobody serves nobody") == true)
        }
    }

    @Test(
        "casts wait in a declared queue for a server that comes later; a forgotten queue is gone",
        arguments: BusKind.allCases)
    func declared(kind: BusKind) async throws {
        try await withBus(kind) { bus in
            let client = bus.client("client")
            try await client.declare(topic: bus.topic("t"), server: "s")
            try await client.declare(topic: bus.topic("t"), server: "s")
            for number in 0..<3 { try await client.tell(bus.topic("t"), "m", ["n": .int(Int64(number))]) }
            let seen = Recorder<RPCRequest>()
            let server = bus.client("server")
            try await server.serve(
                topic: bus.topic("t"), server: "s",
                endpoint: ClosureEndpoint { request in
                    seen.append(request)
                    return .null
                })
            #expect(await seen.wait(for: 3).allSatisfy { !$0.isCall })
            await server.close()
            try await client.forget(topic: bus.topic("t"), server: "s")
            try await client.forget(topic: bus.topic("t"), server: "s")
            let error = await #expect(throws: MessagingError.self) { try await client.tell(bus.topic("t"), "m") }
            #expect(error?.code == .unavailable)
        }
    }

    @Test(
        "a call that nobody takes in time times out, and is not run by a server that comes later",
        arguments: BusKind.allCases)
    func expiry(kind: BusKind) async throws {
        try await withBus(kind) { bus in
            let client = bus.client("client")
            try await client.declare(topic: bus.topic("t"), server: "s")
            let error = await #expect(throws: MessagingError.self) {
                try await client.ask(bus.topic("t"), "late", timeout: .milliseconds(500))
            }
            #expect(error?.code == .timedOut)
            try await client.tell(bus.topic("t"), "cast")
            let seen = Recorder<String>()
            try await bus.client("server").serve(
                topic: bus.topic("t"), server: "s",
                endpoint: ClosureEndpoint { request in
                    seen.append(request.method)
                    return .null
                })
            _ = await seen.wait(for: 1)
            #expect(try await client.ask(bus.topic("t"), "call") == .null)
            #expect(seen.values == ["cast", "call"])
        }
    }

    @Test("a reply after the timeout is dropped, and the next call gets its own", arguments: BusKind.allCases)
    func lateReply(kind: BusKind) async throws {
        try await withBus(kind) { bus in
            let gate = Recorder<Bool>()
            try await bus.client("server").serve(
                topic: bus.topic("t"), server: "s",
                endpoint: ClosureEndpoint { request in
                    if request.method == "slow" { _ = await gate.wait(for: 1) }
                    return .string(request.method)
                })
            let client = bus.client("client")
            #expect(try await client.ask(bus.topic("t"), "first") == "first")
            let error = await #expect(throws: MessagingError.self) {
                try await client.ask(bus.topic("t"), "slow", timeout: .milliseconds(50))
            }
            #expect(error?.code == .timedOut && error?.isRetryable == true)
            gate.append(true)
            #expect(try await client.ask(bus.topic("t"), "fast") == "fast")
        }
    }

    @Test("a slow server leaves what it cannot begin to a faster one, and holds up nobody", arguments: BusKind.allCases)
    func slowConsumer(kind: BusKind) async throws {
        try await withBus(kind, prefetch: 2) { bus in
            let gate = Recorder<Bool>()
            let seen = Recorder<String>()
            try await bus.client("slow", .init(concurrency: 1, drain: .seconds(2))).serve(
                topic: bus.topic("t"), server: "slow",
                endpoint: ClosureEndpoint { _ in
                    seen.append("slow")
                    _ = await gate.wait(for: 1)
                    return .null
                })
            let client = bus.client("client")
            for _ in 0..<10 { try await client.tell(bus.topic("t"), "m") }
            try await bus.client("fast").serve(
                topic: bus.topic("t"), server: "fast",
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

    @Test("failures come back with class, module and code", arguments: BusKind.allCases)
    func failures(kind: BusKind) async throws {
        try await withBus(kind) { bus in
            try await bus.client("server").serve(
                topic: bus.topic("t"), server: "s",
                endpoint: ClosureEndpoint { request in
                    throw request.method == "gone"
                        ? RPCFault.noSuchMethod("gone") : RPCFault(className: "UserNotFound", message: "no u")
                })
            let client = bus.client("client")
            let own = await #expect(throws: MessagingError.self) { try await client.ask(bus.topic("t"), "m") }
            #expect(own?.code == .remote)
            #expect(
                own?.failure
                    == RPCFailure(className: "UserNotFound", module: "trove.common.exception", message: "no u"))
            let gone = await #expect(throws: MessagingError.self) { try await client.ask(bus.topic("t"), "gone") }
            #expect(gone?.code == .noSuchMethod)
            let version = await #expect(throws: MessagingError.self) {
                try await client.ask(bus.topic("t"), "m", version: "9.0")
            }
            #expect(version?.code == .unsupportedVersion)
        }
    }

    @Test("a cancelled call ends at once", arguments: BusKind.allCases)
    func cancellation(kind: BusKind) async throws {
        try await withBus(kind) { bus in
            let started = Recorder<Bool>()
            try await bus.client("server", .init(drain: .milliseconds(10))).serve(
                topic: bus.topic("t"), server: "s",
                endpoint: ClosureEndpoint { _ in
                    started.append(true)
                    try await Task.sleep(for: .seconds(60))
                    return .null
                })
            let client = bus.client("client")
            let task = Task { try await client.ask(bus.topic("t"), "m", timeout: .seconds(60)) }
            _ = await started.wait(for: 1)
            task.cancel()
            let error = await #expect(throws: MessagingError.self) { try await task.value }
            #expect(error?.code == .cancelled)
        }
    }

    @Test("one bus serves several topics, each server name once", arguments: BusKind.allCases)
    func severalTopics(kind: BusKind) async throws {
        try await withBus(kind) { bus in
            let both = bus.client("both")
            let (a, b) = (bus.topic("a"), bus.topic("b"))
            for topic in [a, b] {
                try await both.serve(topic: topic, server: "s", endpoint: ClosureEndpoint { _ in .string(topic) })
            }
            #expect(try await both.ask(a, "m") == .string(a))
            #expect(try await both.ask(b, "m") == .string(b))
            let error = await #expect(throws: MessagingError.self) {
                try await both.serve(topic: a, server: "s", endpoint: echo)
            }
            #expect(error?.code == .badMessage)
        }
    }

    @Test("a notification is taken without anybody who reads it", arguments: BusKind.allCases)
    func notification(kind: BusKind) async throws {
        try await withBus(kind) { bus in
            let client = bus.client("client")
            try await client.notify(bus.topic("n"), priority: "INFO", message: ["event_type": "e"])
        }
    }

    @Test("five hundred calls at once get each its own answer", arguments: BusKind.allCases)
    func parallel(kind: BusKind) async throws {
        try await withBus(kind) { bus in
            try await bus.client("server").serve(topic: bus.topic("t"), server: "s", endpoint: echo)
            let client = bus.client("client")
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<500 {
                    group.addTask {
                        let value: [String: JSONValue] = ["n": .int(Int64(number))]
                        let answer = try await client.ask(bus.topic("t"), "m", value, timeout: .seconds(60))
                        #expect(answer == .object(value))
                    }
                }
                try await group.waitForAll()
            }
        }
    }
}
