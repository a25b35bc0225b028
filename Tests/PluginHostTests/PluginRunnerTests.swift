// SPDX-License-Identifier: Apache-2.0

import Foundation
import Model
import Synchronization
import Testing

@testable import PluginHost

@Suite("plugin runner")
struct PluginRunnerTests {
    /// Two control plugins, `a` and `b`, and a runner that has them.
    private func withRunner(
        _ body: (PluginRunnerClient, _ flag: String) async throws -> Void
    ) async throws {
        try await withPlugins { fixture in
            let flag = fixture.root + "/../flag"
            let macro = "FLAG=\"\(flag)\""
            try fixture.install("a", PluginSource.control, provides: PluginFixture.control, macros: [macro])
            try fixture.install(
                "b", PluginSource.control, provides: PluginFixture.control,
                macros: [macro, "ROUTE=\"/instances/{id}/databases\""], words: ["databases"])
            let client = PluginRunnerClient(
                command: [PluginFixture.checker, "runner"],
                configuration: fixture.configuration(.control, enabled: ["test.a", "test.b"], probes: true))
            do {
                try await client.start(deadline: .after(.seconds(20)))
                try await body(client, flag)
            } catch {
                await client.shutdown()
                throw error
            }
            await client.shutdown()
        }
    }

    @Test("policy is asked in the runner, and what it has is known here")
    func policy() async throws {
        try await withRunner { (client, _) async throws in
            #expect(await client.plugins.map(\.id) == ["test.a", "test.b"])
            #expect(await client.plugins.first?.sha256.utf8.count == 64)
            #expect(await client.routes.map(\.path) == ["/instances/{id}/users", "/instances/{id}/databases"])
            #expect(await client.refusals.isEmpty)
            let options = PluginFixture.options()
            #expect(try await client.policy("test.a", .requirements, [:], options) == ["ports": [1]])
            #expect(try await client.policy("test.a@1.0.0", .validateCreate, [:], options) == .null)
            let wrong = await failure { () throws(PluginError) in
                try await client.policy("test.a", .validateCreate, "wrong", options)
            }
            #expect(wrong?.code == .invalidArgument)
            #expect(wrong?.message == "too small")
            let absent = await failure { () throws(PluginError) in
                try await client.policy("test.none", .requirements, [:], options)
            }
            #expect(absent?.code == .notFound)
        }
    }

    @Test("a route's plugin runs control operations with the caller's identity")
    func control() async throws {
        try await withRunner { (client, _) async throws in
            let route = try #require(await client.routes.first)
            let handler = Echo()
            let answer = try await client.handle(route, [:], PluginFixture.options(), control: handler)
            #expect(answer == ["operation": "guest.call", "request": ["verb": "list_users"], "request_id": "req-1"])
            let refused = await failure { () throws(PluginError) in
                try await client.handle(route, [:], PluginFixture.options(), control: Refusing())
            }
            #expect(refused?.code == .notFound)
            #expect(refused?.message == "no such instance")
        }
    }

    @Test("a trap fails the call that trapped, naming the plugin; its neighbour's call and the next one succeed")
    func trap() async throws {
        try await withRunner { (client, flag) async throws in
            let options = PluginFixture.options()
            // In flight while the other traps: it waits for the flag, and is asked again of the next runner.
            async let neighbour = client.policy("test.b", .validateCreate, "wait-for", options)
            let error = await failure { () throws(PluginError) in
                try await client.policy("test.a", .validateCreate, "trap", options)
            }
            try "".write(toFile: flag, atomically: true, encoding: .utf8)
            #expect(error?.code == .crashed)
            #expect(error?.pluginID == "test.a")
            #expect(error?.message.contains("'test.a'") == true && error?.message.contains("signal 11") == true)
            let answer = try await neighbour
            #expect(answer == .null)
            #expect(try await client.policy("test.a", .requirements, [:], options) == ["ports": [1]])
            let aborted = await failure { () throws(PluginError) in
                try await client.policy("test.b", .validateCreate, "abort", options)
            }
            #expect(aborted?.code == .crashed)
            #expect(aborted?.message == "plugin 'test.b' trapped with signal 6")
        }
    }

    @Test("deadlines and cancellation reach the plugin in the runner")
    func stops() async throws {
        try await withRunner { (client, _) async throws in
            let late = await failure { () throws(PluginError) in
                try await client.policy("test.a", .requirements, "hold", PluginFixture.options(.milliseconds(100)))
            }
            #expect(late?.code == .timedOut)
            let (starts, started) = AsyncStream.makeStream(of: Int.self)
            let options = PluginFixture.options(onProgress: { permille, _ in started.yield(permille) })
            let task = Task {
                await failure { () throws(PluginError) in
                    try await client.policy("test.a", .requirements, "hold", options)
                }
            }
            for await permille in starts {
                #expect(permille == 10)
                break
            }
            task.cancel()
            #expect(await task.value?.code == .cancelled)
        }
    }

    @Test("a runner that cannot be started is an error, and calls after the shutdown too")
    func absent() async throws {
        try await withPlugins { fixture in
            let client = PluginRunnerClient(
                command: ["/no/such/runner"], configuration: fixture.configuration(.control, enabled: []))
            let error = await failure { () throws(PluginError) in
                try await client.start(deadline: .after(.seconds(10)))
            }
            #expect(error?.code == .unavailable)
            await client.shutdown()
            let after = await failure { () throws(PluginError) in
                try await client.policy("test.a", .requirements, [:], PluginFixture.options())
            }
            #expect(after?.code == .unavailable)
        }
    }
}

private struct Echo: ControlHandler {
    func perform(
        _ operation: String, _ request: JSONValue, context: RequestContext
    ) async throws(PluginError) -> JSONValue {
        ["operation": .string(operation), "request": request, "request_id": .string(context.requestID)]
    }
}

private struct Refusing: ControlHandler {
    func perform(
        _ operation: String, _ request: JSONValue, context: RequestContext
    ) async throws(PluginError) -> JSONValue { throw PluginError(.notFound, "no such instance") }
}
