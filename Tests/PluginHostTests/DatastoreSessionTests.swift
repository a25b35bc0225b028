// SPDX-License-Identifier: Apache-2.0

import Foundation
import Logging
import Model
import Synchronization
import Testing

@testable import PluginHost

@Suite("datastore calls")
struct DatastoreSessionTests {
    private func withSession(
        probes: Bool = false, logger: Logger? = nil, confinement: ProcessConfinement? = nil,
        _ body: (DatastoreSession) async throws -> Void
    ) async throws {
        try await withPlugins { fixture in
            try fixture.install("store", PluginSource.datastore, provides: PluginFixture.guest)
            var configuration = fixture.configuration(
                .guest, enabled: ["test.store"], probes: probes, settings: ["test.store": ["answer": 42]])
            if let logger { configuration.logger = logger }
            configuration.confinement = confinement
            let registry = PluginRegistry(configuration: configuration)
            try registry.load()
            let session = try await DatastoreSession.open(
                registry, reference: "test.store", config: ["instance_id": "i-1"], options: PluginFixture.options())
            try await body(session)
            await session.close()
            registry.shutdown()
        }
    }

    @Test("documents go in and come out, status is filled, the configuration arrives")
    func happy() async throws {
        try await withSession { (session) async throws in
            let request: JSONValue = ["a": [1, "ü", .null]]
            #expect(try await session.call(.prepare, request, PluginFixture.options()) == request)
            #expect(try await session.call(.started, [:], PluginFixture.options()) == .null)
            #expect(
                try await session.status(PluginFixture.options())
                    == EngineStatus(health: .healthy, dataBytes: 4096, connections: 3))
            #expect(try await session.call(.listUsers, [:], PluginFixture.options()) == ["answer": 42])
        }
    }

    @Test("what goes wrong has code, plugin and message")
    func failures() async throws {
        try await withSession { (session) async throws in
            func error(_ word: String) async -> PluginError? {
                await failure { () throws(PluginError) in
                    try await session.call(.prepare, .string(word), PluginFixture.options())
                }
            }
            #expect(await error("unknown-status")?.code == .internal)
            #expect(await error("unknown-status")?.message.contains("4711") == true)
            #expect(await error("no-json")?.code == .internal)
            #expect(await error("silent")?.code == .busy)
            #expect(await error("silent")?.isRetryable == true)
            let flood = await error("flood")
            #expect(flood?.code == .exhausted)
            #expect(flood?.message == "capped at 16 MiB")
            let missing = await failure { () throws(PluginError) in
                try await session.call(.enableRoot, [:], PluginFixture.options())
            }
            #expect(missing?.code == .unsupported)
            #expect(missing?.pluginID == "test.store")
        }
    }

    @Test("an open that fails says why; an unknown plugin is not found")
    func open() async throws {
        try await withPlugins { fixture in
            try fixture.install("store", PluginSource.datastore, provides: PluginFixture.guest)
            let registry = try fixture.load(.guest, enabled: ["test.store", "test.gone"])
            let refused = await failure { () throws(PluginError) in
                try await DatastoreSession.open(
                    registry, reference: "test.store@1.0.0", config: "refuse", options: PluginFixture.options())
            }
            #expect(refused?.code == .preconditionFailed)
            #expect(refused?.message == "not today")
            #expect(refused?.details == ["errno": 7])
            let gone = await failure { () throws(PluginError) in
                try await DatastoreSession.open(
                    registry, reference: "test.gone", config: [:], options: PluginFixture.options())
            }
            #expect(gone?.code == .notFound)
            #expect(gone?.message.contains("none of the plugin directories") == true)
        }
    }

    @Test("cancelling a task wakes the plugin through its descriptor")
    func cancel() async throws {
        try await withSession { (session) async throws in
            let (starts, started) = AsyncStream.makeStream(of: Void.self)
            let options = PluginFixture.options(onProgress: { _, message in
                if message == "waiting" { started.yield() }
            })
            let task = Task {
                await failure { () throws(PluginError) in try await session.call(.prepare, "cancel-fd", options) }
            }
            for await _ in starts { break }
            task.cancel()
            #expect(await task.value?.code == .cancelled)
            #expect(try await session.call(.prepare, 1, PluginFixture.options()) == 1)
        }
    }

    @Test("a deadline stops a call; the plugin sees the time that is left")
    func deadline() async throws {
        try await withSession { (session) async throws in
            let left = try await session.call(.prepare, "time-left", PluginFixture.options(.seconds(9)))
            #expect((1...9_000_000_000).contains(left.intValue ?? 0))
            let late = await failure { () throws(PluginError) in
                try await session.call(.prepare, "cancel-fd", PluginFixture.options(.milliseconds(100)))
            }
            #expect(late?.code == .timedOut)
            let past = await failure { () throws(PluginError) in
                try await session.call(.prepare, 1, PluginFixture.options(.milliseconds(-1)))
            }
            #expect(past?.code == .timedOut)
        }
    }

    @Test("a call that ignores its end is given up, and its lane is closed")
    func ignoring() async throws {
        try await withSession { (session) async throws in
            let stuck = await failure { () throws(PluginError) in
                try await session.call(.prepare, "ignore", PluginFixture.options(.milliseconds(50)))
            }
            #expect(stuck?.code == .timedOut)
            #expect(stuck?.message.contains("does not stop") == true)
            let after = await failure { () throws(PluginError) in
                try await session.call(.prepare, 1, PluginFixture.options())
            }
            #expect(after?.code == .unavailable)
        }
    }

    @Test("a pending call ends through complete, once; a second time and a stale call are logged, no crash")
    func pending() async throws {
        let lines = LogLines()
        try await withSession(logger: lines.logger) { (session) async throws in
            #expect(try await session.call(.started, "pending", PluginFixture.options()) == "later")
            #expect(try await session.call(.started, "at-once", PluginFixture.options()) == .null)
            #expect(try await session.call(.started, "stale", PluginFixture.options()) == .null)
        }
        #expect(lines.all.contains { $0.message == "plugin used a call that is over" })
        #expect(lines.all.contains { $0.message == "plugin completed a call twice" })
    }

    @Test("calls on one self take turns")
    func serial() async throws {
        try await withSession { (session) async throws in
            let most = try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<40 {
                    group.addTask { try await session.call(.launch, [:], PluginFixture.options()).intValue ?? 0 }
                }
                return try await group.reduce(0, max)
            }
            #expect(most == 1)
        }
    }

    @Test("a plugin's log lines carry plugin, request and instance, without secrets")
    func logs() async throws {
        let lines = LogLines()
        try await withSession(logger: lines.logger) { (session) async throws in
            _ = try await session.call(.prepare, "log", PluginFixture.options())
        }
        let line = try #require(lines.all.first { $0.message == "plugin speaks" })
        #expect(line.level == .notice)
        #expect(line.metadata["plugin.id"] == "test.store")
        #expect(line.metadata["request.id"] == "req-1")
        #expect(line.metadata["instance.id"] == "i-1")
        #expect(line.metadata["n"] == "1")
        #expect(line.metadata["password"] == "<redacted>")
    }

    @Test("programs run to their end, with their output, status and signal")
    func process() async throws {
        try await withSession { (session) async throws in
            func run(_ script: String, as identity: String = "agent") async throws -> JSONValue {
                let argv: JSONValue = ["/bin/sh", "-c", .string(script)]
                return try await session.call(
                    .getUser, ["argv": argv, "as": .string(identity), "env": ["X": "y"]], PluginFixture.options())
            }
            let ended = try await run("echo out-$X-$HOME; echo err >&2; exit 3")
            #expect(ended == ["exit_status": 3, "signal": .null, "stdout": "out-y-\n", "stderr_tail": "err\n"])
            #expect(try await run("kill -9 $$")["signal"] == 9)
            #expect(try await run("head -c 3000000 /dev/zero | tr '\\0' x")["stdout"]?.stringValue?.count == 1 << 20)
            let missing = await failure { () throws(PluginError) in
                try await session.call(.getUser, ["argv": ["/no/such"], "as": "agent"], PluginFixture.options())
            }
            #expect(missing?.code == .notFound)
            let relative = await failure { () throws(PluginError) in
                try await session.call(.getUser, ["argv": ["sh"], "as": "agent"], PluginFixture.options())
            }
            #expect(relative?.code == .invalidArgument)
            let engine = await failure { () throws(PluginError) in
                try await session.call(.getUser, ["argv": ["/bin/true"], "as": "engine"], PluginFixture.options())
            }
            #expect(engine?.code == .unsupported)
        }
    }

    @Test("a program whose call is past its deadline is ended with its group")
    func processDeadline() async throws {
        try await withSession { (session) async throws in
            let began = ContinuousClock.now
            let error = await failure { () throws(PluginError) in
                try await session.call(
                    .getUser, ["argv": ["/bin/sh", "-c", "sleep 30 & sleep 30"], "as": "agent", "timeout_s": 0.1],
                    PluginFixture.options())
            }
            #expect(error?.code == .timedOut)
            #expect(ContinuousClock.now - began < .seconds(10))
        }
    }

    @Test("a program of the engine runs under the engine's ids", .enabled(if: geteuid() == 0))
    func processConfinement() async throws {
        let confinement = ProcessConfinement(uid: 23456, gid: 23457, setIDs: true, cgroupProcsPaths: [])
        try await withSession(confinement: confinement) { (session) async throws in
            let ended = try await session.call(
                .getUser, ["argv": ["/bin/sh", "-c", "id -u; id -g"], "as": "engine"], PluginFixture.options())
            #expect(ended["stdout"] == "23456\n23457\n")
        }
    }

    @Test("a closed session refuses calls, and closing again does nothing")
    func closed() async throws {
        try await withSession { (session) async throws in
            await session.close()
            let error = await failure { () throws(PluginError) in
                try await session.call(.prepare, 1, PluginFixture.options())
            }
            #expect(error?.code == .preconditionFailed)
        }
    }
}
