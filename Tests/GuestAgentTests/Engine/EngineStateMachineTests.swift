// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import GuestAgent

@Suite struct EngineStateMachineTests {
    typealias Machine = EngineStateMachine

    static let policy = {
        var policy = Machine.Policy()
        policy.firstPause = .seconds(1)
        policy.longestPause = .seconds(3)
        policy.limit = 4
        policy.stableAfter = .seconds(60)
        return policy
    }()

    /// Every state, reached by events.
    static let paths: [(Machine.State, [Machine.Event])] = [
        (.stopped, []),
        (.starting, [.startAsked]),
        (.running, [.startAsked, .ready]),
        (.stopping(.stay), [.startAsked, .ready, .stopAsked]),
        (.stopping(.start), [.startAsked, .ready, .restartAsked]),
        (.stopping(.retry), [.startAsked, .unfit]),
        (.backingOff, [.startAsked, .launchFailed]),
        (
            .crashed,
            [
                .startAsked, .launchFailed, .backoffOver, .launchFailed, .backoffOver, .launchFailed, .backoffOver,
                .launchFailed,
            ]
        ),
    ]

    static func machine(in state: Machine.State) -> Machine {
        var machine = Machine(policy: policy)
        for event in paths.first(where: { $0.0 == state })?.1 ?? [] { _ = machine.handle(event) }
        return machine
    }

    @Test("each state is reached by its path", arguments: paths.map(\.0))
    func reachesEachState(_ state: Machine.State) {
        #expect(Self.machine(in: state).state == state)
    }

    /// What changes; every other pair of state and event must change nothing.
    static let transitions: [(Machine.State, Machine.Event, Machine.State, [Machine.Action])] = [
        (.stopped, .startAsked, .starting, [.launch]),
        (.stopped, .restartAsked, .starting, [.launch]),
        (.stopped, .adopted(ready: true), .running, []),
        (.stopped, .adopted(ready: false), .starting, []),
        (.starting, .stopAsked, .stopping(.stay), [.terminate]),
        (.starting, .restartAsked, .stopping(.start), [.terminate]),
        (.starting, .ready, .running, []),
        (.starting, .launchFailed, .backingOff, [.pause(.seconds(1))]),
        (.starting, .unfit, .stopping(.retry), [.terminate]),
        (.starting, .exited(lived: .zero), .backingOff, [.pause(.seconds(1))]),
        (.running, .stopAsked, .stopping(.stay), [.terminate]),
        (.running, .restartAsked, .stopping(.start), [.terminate]),
        (.running, .exited(lived: .zero), .backingOff, [.pause(.seconds(1))]),
        (.stopping(.stay), .startAsked, .stopping(.start), []),
        (.stopping(.stay), .restartAsked, .stopping(.start), []),
        (.stopping(.stay), .launchFailed, .stopped, []),
        (.stopping(.stay), .exited(lived: .zero), .stopped, []),
        (.stopping(.stay), .stopOverdue, .stopping(.stay), [.kill]),
        (.stopping(.start), .stopAsked, .stopping(.stay), []),
        (.stopping(.start), .launchFailed, .starting, [.launch]),
        (.stopping(.start), .exited(lived: .zero), .starting, [.launch]),
        (.stopping(.start), .stopOverdue, .stopping(.start), [.kill]),
        (.stopping(.retry), .startAsked, .stopping(.start), []),
        (.stopping(.retry), .restartAsked, .stopping(.start), []),
        (.stopping(.retry), .stopAsked, .stopping(.stay), []),
        (.stopping(.retry), .launchFailed, .backingOff, [.pause(.seconds(1))]),
        (.stopping(.retry), .exited(lived: .zero), .backingOff, [.pause(.seconds(1))]),
        (.stopping(.retry), .stopOverdue, .stopping(.retry), [.kill]),
        (.backingOff, .startAsked, .starting, [.cancelPause, .launch]),
        (.backingOff, .restartAsked, .starting, [.cancelPause, .launch]),
        (.backingOff, .stopAsked, .stopped, [.cancelPause]),
        (.backingOff, .backoffOver, .starting, [.launch]),
        (.crashed, .startAsked, .starting, [.launch]),
        (.crashed, .restartAsked, .starting, [.launch]),
        (.crashed, .stopAsked, .stopped, []),
    ]

    static let events: [Machine.Event] = [
        .startAsked, .stopAsked, .restartAsked, .adopted(ready: true), .adopted(ready: false), .ready, .launchFailed,
        .unfit, .exited(lived: .zero), .backoffOver, .stopOverdue,
    ]

    @Test("every event in every state does what the table says, and nothing else")
    func transitionsAreComplete() {
        for (state, _) in Self.paths {
            for event in Self.events {
                var machine = Self.machine(in: state)
                let actions = machine.handle(event)
                let row = Self.transitions.first { $0.0 == state && $0.1 == event }
                #expect(machine.state == row?.2 ?? state, "\(state) \(event)")
                #expect(actions == row?.3 ?? [], "\(state) \(event)")
            }
        }
    }

    @Test("pauses double up to the longest, then it is given up")
    func backsOff() {
        var machine = Self.machine(in: .starting)
        #expect(machine.handle(.exited(lived: .zero)) == [.pause(.seconds(1))])
        _ = machine.handle(.backoffOver)
        #expect(machine.handle(.exited(lived: .zero)) == [.pause(.seconds(2))])
        _ = machine.handle(.backoffOver)
        #expect(machine.handle(.exited(lived: .zero)) == [.pause(.seconds(3))])
        _ = machine.handle(.backoffOver)
        #expect(machine.handle(.exited(lived: .zero)) == [.giveUp])
        #expect(machine.state == .crashed)
    }

    @Test("a life in between that is too short does not clear the count")
    func countsQuickDeaths() {
        var machine = Self.machine(in: .running)
        _ = machine.handle(.exited(lived: .seconds(59)))
        _ = machine.handle(.backoffOver)
        _ = machine.handle(.ready)
        #expect(machine.handle(.exited(lived: .seconds(59))) == [.pause(.seconds(2))])
    }

    @Test("a stable life clears the count")
    func forgetsAfterStableLife() {
        var machine = Self.machine(in: .running)
        _ = machine.handle(.exited(lived: .zero))
        _ = machine.handle(.backoffOver)
        _ = machine.handle(.ready)
        #expect(machine.handle(.exited(lived: .seconds(60))) == [.pause(.seconds(1))])
    }

    @Test("being asked again clears the count")
    func forgetsWhenAsked() {
        var machine = Self.machine(in: .crashed)
        _ = machine.handle(.restartAsked)
        #expect(machine.failures == 0)
        #expect(machine.handle(.exited(lived: .zero)) == [.pause(.seconds(1))])
    }
}
