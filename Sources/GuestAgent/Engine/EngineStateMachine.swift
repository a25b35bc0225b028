// SPDX-License-Identifier: Apache-2.0

/// What is to be done with the engine next, given what happened. No clock, no I/O.
package struct EngineStateMachine: Sendable {
    /// What follows once a stopping engine is gone.
    package enum Sequel: Sendable, Hashable {
        case stay
        case start
        /// It did not come up as it should: count that and try again.
        case retry
    }

    package enum State: Sendable, Hashable {
        /// Nothing runs, and nothing should.
        case stopped
        /// Being launched, or launched and not ready yet.
        case starting
        case running
        case stopping(Sequel)
        /// Nothing runs until a pause is over.
        case backingOff
        /// Given up after too many quick deaths.
        case crashed
    }

    package enum Event: Sendable, Hashable {
        case startAsked
        case stopAsked
        case restartAsked
        /// A process of an earlier agent was found alive.
        case adopted(ready: Bool)
        /// The engine answers.
        case ready
        /// No process came to be.
        case launchFailed
        /// The process lives but is of no use: it was not ready in time.
        case unfit
        /// The process ended; `lived` is the time since it was started.
        case exited(lived: Duration)
        case backoffOver
        /// The stopping engine took too long.
        case stopOverdue
    }

    package enum Action: Sendable, Hashable {
        case launch
        /// Ask the engine to end, with a deadline.
        case terminate
        case kill
        case pause(Duration)
        case cancelPause
        /// Tell that there will be no further try.
        case giveUp
    }

    package struct Policy: Sendable, Hashable {
        /// Pause after the first quick death; doubles with each.
        package var firstPause: Duration = .milliseconds(500)
        package var longestPause: Duration = .seconds(60)
        /// Quick deaths in a row after which it is given up.
        package var limit: Int = 6
        /// A life this long makes the count start again.
        package var stableAfter: Duration = .seconds(60)

        package init() {}
    }

    package private(set) var state: State = .stopped
    /// Quick deaths in a row.
    package private(set) var failures = 0
    package let policy: Policy

    package init(policy: Policy = Policy()) { self.policy = policy }

    /// Takes an event; one that does not fit the state changes nothing.
    package mutating func handle(_ event: Event) -> [Action] {
        switch event {
        case .startAsked: startAsked()
        case .stopAsked: stopAsked()
        case .restartAsked: restartAsked()
        case .adopted(let ready): adopted(ready: ready)
        case .ready: becameReady()
        case .launchFailed: launchFailed()
        case .unfit: unfit()
        case .exited(let lived): exited(lived: lived)
        case .backoffOver: backoffOver()
        case .stopOverdue: isStopping ? [.kill] : []
        }
    }

    private var isStopping: Bool { if case .stopping = state { true } else { false } }

    private mutating func begin() -> [Action] {
        failures = 0
        state = .starting
        return [.launch]
    }

    private mutating func startAsked() -> [Action] {
        switch state {
        case .stopped, .crashed: return begin()
        case .backingOff: return [.cancelPause] + begin()
        case .stopping:
            state = .stopping(.start)
            return []
        case .starting, .running: return []
        }
    }

    private mutating func stopAsked() -> [Action] {
        switch state {
        case .stopped: return []
        case .crashed:
            state = .stopped
            return []
        case .backingOff:
            state = .stopped
            return [.cancelPause]
        case .starting, .running:
            state = .stopping(.stay)
            return [.terminate]
        case .stopping:
            state = .stopping(.stay)
            return []
        }
    }

    private mutating func restartAsked() -> [Action] {
        guard state == .starting || state == .running else { return startAsked() }
        state = .stopping(.start)
        return [.terminate]
    }

    private mutating func adopted(ready: Bool) -> [Action] {
        guard state == .stopped else { return [] }
        failures = 0
        state = ready ? .running : .starting
        return []
    }

    private mutating func becameReady() -> [Action] {
        if state == .starting { state = .running }
        return []
    }

    private mutating func launchFailed() -> [Action] {
        switch state {
        case .starting: return failed()
        case .stopping(let sequel): return follow(sequel)
        default: return []
        }
    }

    private mutating func unfit() -> [Action] {
        guard state == .starting else { return [] }
        state = .stopping(.retry)
        return [.terminate]
    }

    private mutating func exited(lived: Duration) -> [Action] {
        switch state {
        case .starting: return failed()
        case .running:
            if lived >= policy.stableAfter { failures = 0 }
            return failed()
        case .stopping(let sequel): return follow(sequel)
        case .stopped, .backingOff, .crashed: return []
        }
    }

    private mutating func backoffOver() -> [Action] {
        guard state == .backingOff else { return [] }
        state = .starting
        return [.launch]
    }

    private mutating func follow(_ sequel: Sequel) -> [Action] {
        switch sequel {
        case .stay:
            state = .stopped
            return []
        case .start: return begin()
        case .retry: return failed()
        }
    }

    private mutating func failed() -> [Action] {
        failures += 1
        guard failures < policy.limit else {
            state = .crashed
            return [.giveUp]
        }
        state = .backingOff
        return [.pause(min(policy.longestPause, policy.firstPause * (1 << min(failures - 1, 16))))]
    }
}
