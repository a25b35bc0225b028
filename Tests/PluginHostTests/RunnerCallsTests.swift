// SPDX-License-Identifier: Apache-2.0

import Model
import Testing

@testable import PluginHost

@Suite("calls and the runner's ends")
struct RunnerCallsTests {
    private func call(_ kind: RunnerCall.Kind, _ plugin: String) -> RunnerCall {
        RunnerCall(
            kind: kind, plugin: PluginReference(plugin), target: ["plugin": .string(plugin)], request: [:],
            options: CallOptions(deadline: .after(.seconds(60)), context: RequestContext(requestID: "r")),
            control: nil, answer: { _ in })
    }

    private func trap(_ plugin: String?, wasReady: Bool = true) -> RunnerEnd {
        RunnerEnd(signal: 11, exitStatus: nil, plugin: plugin.map { PluginReference($0) }, wasReady: wasReady)
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
        let failed = calls.ended(trap("a"))
        #expect(failed.map(\.1.code) == [.crashed, .unavailable])
        #expect(failed.map(\.1.pluginID) == ["a", "b"])
        #expect(Set(calls.calls.keys) == [policy, waiting])
        #expect(calls.calls[guilty] == nil && calls.calls[route] == nil)
        calls.ready([:])
        #expect(calls.takeUnsent().count == 2)
        let again = calls.ended(trap(nil))
        #expect(again.map(\.1.code) == [.unavailable, .unavailable])
        #expect(calls.calls.isEmpty)
    }

    @Test("a plugin that traps while it is loaded is left out of later runners")
    func loadTrap() {
        var calls = RunnerCalls()
        let id = calls.add(call(.policy, "a"))
        let failed = calls.ended(trap("a@1.0.0", wasReady: false))
        #expect(failed.map(\.1.code) == [.crashed])
        #expect(calls.calls[id] == nil)
        #expect(calls.excluded.keys.map(\.description) == ["a@1.0.0"])
        #expect(calls.refusals.map(\.cause) == [.crashed])
        #expect(calls.refusal(PluginReference("a"))?.code == .unavailable)
        #expect(calls.refusal(PluginReference("a@2.0.0")) == nil)
    }
}
