// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import StateStore

@Suite("Which host is tried")
struct HostStateMachineTests {
    private let start = ContinuousClock.now

    @Test("the host that answered last is tried first, then the others in a circle")
    func order() {
        var machine = HostStateMachine(count: 3)
        #expect(machine.begin(at: start) == .attempt([0, 1, 2]))
        machine.succeeded(on: 1)
        #expect(machine.begin(at: start) == .attempt([1, 2, 0]))
        machine.disqualify(0)
        #expect(machine.begin(at: start) == .attempt([1, 2, 0]))
        machine.disqualify(1)
        #expect(machine.begin(at: start) == .attempt([2, 0, 1]))
        machine.disqualify(2)
        #expect(machine.begin(at: start) == .attempt([0, 1, 2]))
    }

    @Test("while nobody answers one tries at a time, after pauses that grow to a second and no further")
    func pauses() {
        var machine = HostStateMachine(count: 1)
        var now = start
        #expect(machine.begin(at: now) == .attempt([0]))
        // Those who began before anything was known may fail too.
        #expect(machine.begin(at: now) == .attempt([0]))
        var pauses: [Duration] = []
        for _ in 0..<10 {
            machine.failed(at: now, jitter: 1)
            #expect(machine.begin(at: now) == .refuse)
            let failure = now
            while machine.begin(at: now) == .refuse { now += .milliseconds(10) }
            #expect(machine.begin(at: now) == .refuse, "somebody is trying")
            pauses.append(now - failure)
        }
        #expect(Array(pauses.prefix(6)) == [50, 100, 200, 400, 800, 1000].map { Duration.milliseconds($0) })
        #expect(pauses.last == HostStateMachine.longestPause)
        machine.succeeded(on: 0)
        #expect(machine.begin(at: now) == .attempt([0]))
        #expect(machine.begin(at: now) == .attempt([0]))
    }

    @Test("chance shortens a pause to half of it at most", arguments: [-1.0, 0, 0.5, 1, 2, .infinity])
    func jitter(value: Double) {
        var machine = HostStateMachine(count: 1)
        _ = machine.begin(at: start)
        machine.failed(at: start, jitter: value)
        #expect(machine.begin(at: start + .milliseconds(24)) == .refuse)
        #expect(machine.begin(at: start + .milliseconds(50)) == .attempt([0]))
    }
}
