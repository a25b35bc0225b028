// SPDX-License-Identifier: Apache-2.0

import Messaging
import Model
import TestSupport
import Testing

@Suite("LocalHubBus through restarts and closing", .timeLimit(.minutes(1)))
struct LocalHubBusLifeTests {
    @Test("a call in flight survives a restart of the hub, and its request is not run twice")
    func callThroughRestart() async throws {
        try await withHub(HubLimits()) { hub in
            let started = Recorder<Bool>()
            let gate = Recorder<Bool>()
            try await hub.client("server").serve(
                topic: "t", server: "s",
                endpoint: ClosureEndpoint { _ in
                    started.append(true)
                    _ = await gate.wait(for: 1)
                    return "done"
                })
            let client = hub.client("client")
            let call = Task { try await client.ask("t", "m", timeout: .seconds(30)) }
            _ = await started.wait(for: 1)
            await hub.stopHub()
            try hub.startHub()
            gate.append(true)
            #expect(try await call.value == "done")
            #expect(started.values.count == 1)
        }
    }

    @Test("a call and a cast made while the hub is away are delivered when it is back")
    func sentWhileAway() async throws {
        try await withHub(HubLimits()) { hub in
            let seen = Recorder<String>()
            try await hub.client("server").serve(
                topic: "t", server: "s",
                endpoint: ClosureEndpoint { request in
                    seen.append(request.method)
                    return "here"
                })
            let client = hub.client("client")
            #expect(try await client.ask("t", "first") == "here")
            await hub.stopHub()
            let call = Task { try await client.ask("t", "call") }
            let cast = Task { try await client.tell("t", "cast") }
            try hub.startHub()
            #expect(try await call.value == "here")
            try await cast.value
            #expect(Set(await seen.wait(for: 3)) == ["first", "call", "cast"])
        }
    }

    @Test("declared queues of others are declared again")
    func declaredAgain() async throws {
        try await withHub { hub in
            let client = hub.client("client")
            try await client.declare(topic: "t", server: "s")
            await hub.stopHub()
            try hub.startHub()
            try await client.tell("t", "m")
        }
    }

    @Test("a cast without a hub gives up after its patience, a call after its timeout, both as unavailable")
    func away() async throws {
        try await withTemporaryDirectory { directory in
            let bus = LocalHubBus(
                path: directory + "/none.sock", name: "alone", logger: .quiet,
                options: .init(patience: .milliseconds(50)))
            let cast = await #expect(throws: MessagingError.self) { try await bus.tell("t", "m") }
            let call = await #expect(throws: MessagingError.self) {
                try await bus.ask("t", "m", timeout: .milliseconds(50))
            }
            #expect(cast?.code == .unavailable && call?.code == .unavailable)
            await bus.close()
        }
    }

    @Test("a server may begin before the hub does")
    func serverFirst() async throws {
        try await withTemporaryDirectory { directory in
            let path = directory + "/bus.sock"
            let server = LocalHubBus(
                path: path, name: "server", logger: .quiet, options: .init(patience: .milliseconds(50)))
            try await server.serve(topic: "t", server: "s", endpoint: ClosureEndpoint { _ in "served" })
            let hub = LocalHub(path: path, logger: .quiet)
            try hub.start()
            let client = LocalHubBus(path: path, name: "client", logger: .quiet)
            #expect(try await client.ask("t", "m") == "served")
            await client.close()
            await server.close()
            await hub.stop()
        }
    }

    @Test("two hundred and fifty clients share one hub")
    func manyClients() async throws {
        try await withHub { hub in
            try await hub.client("server").serve(
                topic: "t", server: "s", endpoint: ClosureEndpoint { $0.arguments["n"] ?? .null })
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<250 {
                    let client = hub.client("client \(number)")
                    group.addTask {
                        let value = JSONValue.int(Int64(number))
                        let answer = try await client.ask("t", "m", ["n": value], timeout: .seconds(30))
                        #expect(answer == value)
                    }
                }
                try await group.waitForAll()
            }
        }
    }
}
