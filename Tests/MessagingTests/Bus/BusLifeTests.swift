// SPDX-License-Identifier: Apache-2.0

import Messaging
import Model
import TestSupport
import Testing

@Suite("MessageBus through closing", .timeLimit(.minutes(5)))
struct BusLifeTests {
    @Test("closing finishes running handlers and answers their callers", arguments: BusKind.allCases)
    func gracefulClose(kind: BusKind) async throws {
        try await withBus(kind) { bus in
            let started = Recorder<Bool>()
            let gate = Recorder<Bool>()
            let server = bus.client("server", .init(drain: .seconds(20)))
            try await server.serve(
                topic: bus.topic("t"), server: "s",
                endpoint: ClosureEndpoint { _ in
                    started.append(true)
                    _ = await gate.wait(for: 1)
                    return "finished"
                })
            let client = bus.client("client")
            let call = Task { try await client.ask(bus.topic("t"), "m", timeout: .seconds(30)) }
            _ = await started.wait(for: 1)
            let closing = Task { await server.close() }
            gate.append(true)
            #expect(try await call.value == "finished")
            await closing.value
        }
    }

    @Test("closing cancels handlers that do not finish in time; their callers learn it", arguments: BusKind.allCases)
    func impatientClose(kind: BusKind) async throws {
        try await withBus(kind) { bus in
            let started = Recorder<Bool>()
            let server = bus.client("server", .init(drain: .milliseconds(50)))
            try await server.serve(
                topic: bus.topic("t"), server: "s",
                endpoint: ClosureEndpoint { _ in
                    started.append(true)
                    try await Task.sleep(for: .seconds(60))
                    return .null
                })
            let client = bus.client("client")
            let call = Task { try await client.ask(bus.topic("t"), "m", timeout: .seconds(30)) }
            _ = await started.wait(for: 1)
            await server.close()
            let error = await #expect(throws: MessagingError.self) { try await call.value }
            #expect(error?.code == .remote && error?.failure?.message.contains("closing") == true)
        }
    }

    @Test("requests that a closing server had not begun go to another one", arguments: BusKind.allCases)
    func handOver(kind: BusKind) async throws {
        try await withBus(kind) { bus in
            let gate = Recorder<Bool>()
            let begun = Recorder<Bool>()
            let first = bus.client("first", .init(concurrency: 1, drain: .seconds(20)))
            try await first.serve(
                topic: bus.topic("t"), server: "first",
                endpoint: ClosureEndpoint { _ in
                    begun.append(true)
                    _ = await gate.wait(for: 1)
                    return .null
                })
            let client = bus.client("client")
            for _ in 0..<4 { try await client.tell(bus.topic("t"), "m") }
            _ = await begun.wait(for: 1)
            let closing = Task { await first.close() }
            let seen = Recorder<Bool>()
            try await bus.client("second").serve(
                topic: bus.topic("t"), server: "second",
                endpoint: ClosureEndpoint { _ in
                    seen.append(true)
                    return .null
                })
            #expect(await seen.wait(for: 3).count == 3)
            gate.append(true)
            await closing.value
            #expect(begun.values.count == 1)
        }
    }

    @Test(
        "after closing nothing can be sent or served, calls in progress fail, and closing again is fine",
        arguments: BusKind.allCases)
    func closed(kind: BusKind) async throws {
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
            let call = Task { try await client.ask(bus.topic("t"), "m", timeout: .seconds(30)) }
            _ = await started.wait(for: 1)
            await client.close()
            await client.close()
            let inProgress = await #expect(throws: MessagingError.self) { try await call.value }
            let sent = await #expect(throws: MessagingError.self) { try await client.tell(bus.topic("t"), "m") }
            let served = await #expect(throws: MessagingError.self) {
                try await client.serve(topic: "u", server: "s", endpoint: ClosureEndpoint { _ in .null })
            }
            for error in [inProgress, sent, served] { #expect(error?.code == .unavailable) }
        }
    }
}
