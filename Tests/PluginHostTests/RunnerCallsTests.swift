// SPDX-License-Identifier: Apache-2.0

import Model
import Testing

@testable import PluginHost

@Suite("calls and the runner's ends")
struct RunnerCallsTests {
    private let start = ContinuousClock.now

    private func call(_ kind: RunnerCall.Kind, _ plugin: String) -> RunnerCall {
        RunnerCall(
            kind: kind, pluginID: plugin, target: ["plugin": .string(plugin)], request: [:],
            options: CallOptions(deadline: .after(.seconds(60)), context: RequestContext(requestID: "r")),
            control: nil, answer: { _ in })
    }

    private func trap(_ plugin: String?, wasReady: Bool = true) -> RunnerEnd {
        RunnerEnd(signal: 11, exitStatus: nil, pluginID: plugin, wasReady: wasReady)
    }

    @Test("calls wait until the runner is ready and are handed over once")
    func handOver() {
        var calls = RunnerCalls()
        _ = calls.add(call(.policy, "a"))
        #expect(calls.takeUnsent().isEmpty)
        calls.ready([:])
        #expect(calls.takeUnsent().map { $0["type"] } == ["policy"])
        #expect(calls.takeUnsent().isEmpty)
    }

    @Test("a trap fails its plugin's calls and others' routes; others' policy calls are asked once more")
    func ends() {
        var calls = RunnerCalls()
        calls.ready([:])
        let guilty = calls.add(call(.policy, "a"))
        let policy = calls.add(call(.policy, "b"))
        let route = calls.add(call(.route, "b"))
        _ = calls.takeUnsent()
        let waiting = calls.add(call(.route, "a"))
        let failed = calls.ended(trap("a"), now: start)
        #expect(failed.map(\.1.code) == [.crashed, .unavailable])
        #expect(failed.map(\.1.pluginID) == ["a", "b"])
        #expect(Set(calls.calls.keys) == [policy, waiting])
        #expect(calls.calls[guilty] == nil && calls.calls[route] == nil)
        calls.ready([:])
        #expect(calls.takeUnsent().count == 2)
        let again = calls.ended(trap(nil), now: start)
        #expect(again.map(\.1.code) == [.unavailable, .unavailable])
        #expect(calls.calls.isEmpty)
    }

    @Test("a plugin that trapped five times within ten minutes is not called until it has been quiet")
    func failingFast() {
        var calls = RunnerCalls()
        for index in 0..<5 {
            #expect(calls.refusal("a", now: start) == nil)
            _ = calls.ended(trap("a"), now: start + .seconds(index))
        }
        let error = calls.refusal("a", now: start + .seconds(10))
        #expect(error?.code == .unavailable)
        #expect(error?.message.contains("trapped 5 times") == true)
        #expect(calls.refusal("b", now: start + .seconds(10)) == nil)
        #expect(calls.refusal("a", now: start + .seconds(601)) == nil)
    }

    @Test("a plugin that traps while it is loaded is left out of later runners")
    func loadTrap() {
        var calls = RunnerCalls()
        let id = calls.add(call(.policy, "a"))
        let failed = calls.ended(trap("a", wasReady: false), now: start)
        #expect(failed.map(\.1.code) == [.crashed])
        #expect(calls.calls[id] == nil)
        #expect(Array(calls.excluded.keys) == ["a"])
        #expect(calls.refusals.map(\.cause) == [.crashed])
        #expect(calls.refusal("a", now: start)?.code == .unavailable)
    }
}
