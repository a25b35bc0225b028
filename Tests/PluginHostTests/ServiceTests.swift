// SPDX-License-Identifier: Apache-2.0

import Foundation
import Model
import TestSupport
import Testing

@testable import PluginHost

/// Host services as a plugin in the runner gets them: every call crosses to the runner, and what it asks crosses back.
@Suite("host services")
struct ServiceTests {
    private static let provides = ["trove.datastore-policy/1", "trove.rpc-peer/1"]

    private struct Bench {
        let client: PluginRunnerClient
        let services: MemoryServices

        /// What the plugin answers to some words.
        func ask(
            _ words: String, within limit: Duration = .seconds(20), project: String = "p1"
        ) async throws(PluginError) -> JSONValue {
            let options = CallOptions(
                deadline: .after(limit), context: RequestContext(requestID: "req-1", projectID: project))
            return try await client.policy("test.s", .requirements, .string(words), options)
        }

        func code(_ words: String, project: String = "p1") async -> PluginError.Code? {
            await failure { () throws(PluginError) in try await ask(words, project: project) }?.code
        }
    }

    private func withBench(
        egress: [String] = [], _ body: (Bench) async throws -> Void
    ) async throws {
        try await withPlugins { fixture in
            try fixture.install("s", PluginSource.services, provides: Self.provides)
            var configuration = fixture.configuration(.control, enabled: ["test.s"])
            configuration.egress = ["test.s": Set(egress.compactMap { EgressRule($0) })]
            configuration.objectDirectory = fixture.root + "/../objects"
            let services = MemoryServices()
            let client = PluginRunnerClient(
                command: [PluginFixture.checker, "runner"], configuration: configuration, services: services)
            do {
                try await client.start(deadline: .after(.seconds(20)))
                #expect(await client.refusals.isEmpty)
                try await body(Bench(client: client, services: services))
            } catch {
                await client.shutdown()
                throw error
            }
            await client.shutdown()
        }
    }

    @Test("values have revisions: a change that expects another one fails, and removed keys are gone")
    func values() async throws {
        try await withBench { (bench) async throws in
            let first = try await bench.ask("put a 0 one").intValue ?? 0
            #expect(await bench.code("put a 0 two") == .preconditionFailed)
            #expect(try await bench.ask("put a \(first) two").intValue ?? 0 > first)
            #expect(await bench.code("put a \(first) three") == .preconditionFailed)
            #expect(try await bench.ask("get a") == "two")
            #expect(await bench.code("get b") == .notFound)
            _ = try await bench.ask("put ab any x")
            _ = try await bench.ask("put b any x")
            let page = try await bench.ask("keys a 1")
            #expect(page["keys"]?.arrayValue?.count == 1 && page["next"]?.stringValue == "a")
            #expect(await bench.code("remove a 99") == .preconditionFailed)
            _ = try await bench.ask("remove a")
            _ = try await bench.ask("remove a")
            #expect(await bench.code("get a") == .notFound)
        }
    }

    @Test("hostile keys and values that are too large are refused by name")
    func hostile() async throws {
        try await withBench { (bench) async throws in
            for word in ["raw-key", "nul-key", "long-key", "big-value 65537", "keys a 1001", "keys a -1"] {
                #expect(await bench.code(word) == .invalidArgument, "\(word)")
            }
            _ = try await bench.ask("big-value 65536")
            for path in ["../../etc/passwd", "a/b", ".", "..", "~"] {
                _ = try await bench.ask("store \(path) 10")
                #expect(try await bench.ask("fetch \(path)") == [10, .int(Int64(10 * 112))], "\(path)")
            }
        }
    }

    @Test("http reaches allowed servers only, follows no redirect and streams without growing")
    func http() async throws {
        let server = try WebServer()
        let other = try WebServer()
        try await withBench(egress: [server.origin]) { (bench) async throws in
            let hello = try await bench.ask("http \(server.origin)/hello")
            #expect(hello["status"] == 200 && hello["body"] == "hello")
            #expect(try await bench.ask("http \(server.origin)/redirect")["status"] == 302)
            #expect(try await bench.ask("http \(server.origin)/status/500")["status"] == 500)
            #expect(await bench.code("http \(other.origin)/hello") == .permissionDenied)
            #expect(await bench.code("http http://127.0.0.1:\(server.port)@localhost/") == .invalidArgument)
            #expect(await bench.code("http http://localhost:\(server.port)/hello") == .permissionDenied)
            #expect(await bench.code("http file:///etc/passwd") == .invalidArgument)
            #expect(await bench.code("http \(server.origin)/big/2000000") == .exhausted)
            let before = Self.runnerKiB()
            let downloaded = try await bench.ask("download \(server.origin)/big/\(100 << 20)", within: .seconds(60))
            #expect(downloaded == .int(100 << 20))
            let uploaded = try await bench.ask("upload \(server.origin)/echo \(20 << 20)", within: .seconds(60))
            #expect(uploaded["body"]?.stringValue?.contains("\"bytes\": \(20 << 20)") == true)
            #expect(Self.runnerKiB() - before < 16 << 10)
        }
        withExtendedLifetime((server, other)) {}
    }

    @Test("a slow server is left at once when the caller is cancelled, and at the deadline")
    func slow() async throws {
        let server = try WebServer()
        let origin = server.origin
        try await withBench(egress: [origin]) { (bench) async throws in
            let began = ContinuousClock.now
            let late = await failure { () throws(PluginError) in
                try await bench.ask("http \(origin)/slow", within: .milliseconds(200))
            }
            #expect(late?.code == .timedOut)
            let task = Task { await bench.code("http \(origin)/slow") }
            try await Task.sleep(for: .milliseconds(200))
            task.cancel()
            #expect(await task.value == .cancelled)
            #expect(began.duration(to: .now) < .seconds(5))
        }
        withExtendedLifetime(server) {}
    }

    @Test("objects are whole or not there, and each project has its own")
    func objects() async throws {
        try await withBench { (bench) async throws in
            _ = try await bench.ask("store a 3000000")
            #expect(try await bench.ask("fetch a") == [3_000_000, .int(3_000_000 * 112)])
            #expect(await bench.code("store a 1000000 fails") == .unavailable)
            #expect(try await bench.ask("fetch a") == [3_000_000, .int(3_000_000 * 112)])
            #expect(await bench.code("fetch a", project: "p2") == .notFound)
            #expect(await bench.code("store a 1", project: "") == .preconditionFailed)
            _ = try await bench.ask("store b 5")
            let list = try await bench.ask("objects")
            #expect(
                list["objects"] == [["name": "a", "bytes": 3_000_000], ["name": "b", "bytes": 5]]
                    && list["next"] == .null)
            _ = try await bench.ask("drop a")
            _ = try await bench.ask("drop a")
            #expect(await bench.code("fetch a") == .notFound)
        }
    }

    @Test("rpc goes to the plugin's own peer with the caller's project, and its failure comes back")
    func rpc() async throws {
        try await withBench { (bench) async throws in
            let answer = try await bench.ask("call i-1 greet")
            #expect(answer == ["plugin": "test.s", "project": "p1", "payload": [1]])
            #expect(await bench.code("call i-1 refuse") == .busy)
            #expect(await bench.code("call i-1 Wrong-Method") == .invalidArgument)
            _ = try await bench.ask("cast i-1 note")
            #expect(bench.services.casts.map(\.method) == ["note"])
            let late = await failure { () throws(PluginError) in
                try await bench.ask("call i-1 wait", within: .milliseconds(200))
            }
            #expect(late?.code == .timedOut)
            let options = PluginFixture.options()
            let message: JSONValue = ["from": "guest", "instance_id": "i-1", "method": "greet", "payload": .null]
            #expect(try await bench.client.peer("test.s", message, options) == message)
            let refused = await failure { () throws(PluginError) in
                try await bench.client.peer("test.s", ["method": "refuse"], options)
            }
            #expect(refused?.code == .busy && refused?.message == "not now")
        }
    }

    @Test("metrics and statistics of calls come to the worker")
    func statistics() async throws {
        try await withBench { (bench) async throws in
            #expect(try await bench.ask("measure red 3") == 1)
            _ = try await bench.ask("measure blue 2")
            _ = await bench.code("nonsense")
            // A call is answered just before it is counted.
            var latest = await bench.client.statistics.first
            for _ in 0..<100 where latest?.functions["policy.requirements"]?.calls != 3 {
                try await Task.sleep(for: .milliseconds(20))
                latest = await bench.client.statistics.first
            }
            let plugin = try #require(latest)
            #expect(plugin.pluginID == "test.s")
            let function = try #require(plugin.functions["policy.requirements"])
            #expect(function.calls == 3 && function.errors == ["unsupported": 1] && function.inFlight == 0)
            #expect(function.secondsTotal > 0 && function.buckets.reduce(0, +) == 3)
            #expect(plugin.metrics.map(\.name) == ["things_total", "spread"])
            let counter = try #require(plugin.metrics.first)
            #expect(counter.series.map(\.labels) == [["blue"], ["red"]] && counter.series.map(\.value) == [2, 3])
            #expect(counter.dropped == 4)
            #expect(plugin.metrics.last?.series.first?.count == 2)
        }
    }

    @Test("label values are bounded")
    func bounded() {
        let metric = PluginMetric(kind: .counter, name: "a", help: "", labels: ["n"])
        for number in 0..<1100 { metric.record(1, ["\(number)"]) }
        #expect(metric.snapshot.series.count == 1000 && metric.snapshot.dropped == 100)
        let metrics = PluginMetrics()
        for number in 0..<64 {
            #expect((try? metrics.define(.gauge, "m\(number)", help: "", labels: []).get()) != nil)
        }
        for (name, labels) in [("m64", []), ("m1", []), ("A", []), ("ok", ["plugin"]), ("ok", ["a", "a"])] {
            #expect((try? metrics.define(.gauge, name, help: "", labels: labels).get()) == nil, "\(name)")
        }
    }

    @Test("the clock sleeps until the call shall stop, and threads know what they are")
    func clock() async throws {
        try await withBench { (bench) async throws in
            let times = try await bench.ask("clock").arrayValue?.compactMap(\.intValue) ?? []
            #expect(times.count == 2 && times[0] >= 3_000_000 && times[1] > 1_600_000_000_000_000_000)
            let late = await failure { () throws(PluginError) in
                try await bench.ask("sleep 60000", within: .milliseconds(100))
            }
            #expect(late?.code == .timedOut)
            #expect(try await bench.ask("threads") == [1, 10])
        }
    }

    @Test("a plugin that logs too much is cut off, and what was dropped is said")
    func logs() async throws {
        try await withPlugins { fixture in
            try fixture.install("s", PluginSource.services, provides: Self.provides)
            let lines = LogLines()
            let registry = PluginRegistry(
                configuration: fixture.configuration(.control, enabled: ["test.s"], logger: lines.logger))
            try registry.load()
            let calls = ControlCalls(registry: registry)
            _ = try await calls.policy("test.s", .requirements, "chatter 1000", PluginFixture.options())
            let passed = lines.all.filter { $0.message == "chatter" }.count
            #expect(passed >= LogLimit.burst && passed < LogLimit.burst + 100)
            var said: LogLines.Line?
            for _ in 0..<100 where said == nil {
                try await Task.sleep(for: .milliseconds(50))
                said = lines.all.first { $0.message.contains("lines were dropped") }
            }
            #expect(said?.metadata["plugin.dropped_lines"] == "\(1000 - passed)")
            #expect(said?.metadata["plugin.id"] == "test.s")
            registry.shutdown()
        }
    }

    @Test("plugins are told the product's version")
    func version() throws {
        let fixture = PluginFixture(root: "/nowhere")
        #expect(fixture.configuration(.guest, enabled: []).hostVersion == Product.version)
    }

    @Test(
        "egress rules are origins",
        arguments: [
            ("https://Example.org", "https://example.org:443"), ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
            ("http://[::1]", "http://[::1]:80"), ("https://*.example.org", nil), ("https://h/path", nil),
            ("ftp://h", nil), ("h", nil), ("https://", nil), ("https://h:0", nil), ("https://h:99999", nil),
            ("https://u@h", nil), ("http://h:", nil),
        ] as [(String, String?)])
    func rules(_ text: String, _ origin: String?) { #expect(EgressRule(text)?.origin == origin) }

    /// Of the newest child of this process that is a runner.
    private static func runnerKiB() -> Int {
        let own = getpid()
        var most = 0
        for name in (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? [] {
            guard let status = try? String(contentsOfFile: "/proc/\(name)/status", encoding: .utf8),
                status.contains("PPid:\t\(own)\n"), status.hasPrefix("Name:\tplugin-host")
            else { continue }
            let line = status.split(separator: "\n").first { $0.hasPrefix("VmRSS:") } ?? ""
            most = max(most, line.split(whereSeparator: \.isWhitespace).compactMap { Int($0) }.first ?? 0)
        }
        return most
    }
}
