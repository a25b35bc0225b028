// SPDX-License-Identifier: Apache-2.0

package import Logging
package import Model

/// Starts, watches, restarts and stops the one engine of an instance, and is its parent.
///
/// The engine outlives the supervisor: `release` leaves it running, `resume` takes over one that an earlier agent left,
/// by the record in the state directory. What the engine should be is in the state directory too, so that every agent
/// does the same.
package actor EngineSupervisor {
    let configuration: GuestConfiguration
    let launcher: any EngineLauncher
    let logger: Logger
    nonisolated let recordFile: EngineRecordFile
    let memoryKills: MemoryKillCounter
    let log: RotatingLog

    var machine: EngineStateMachine
    /// The process, from the moment it exists until its end is known.
    var current: EngineRun?
    /// Counts launches.
    var launches = 0
    var isReleased = false
    var lastExit: EngineExit?
    var lastFailure: String?

    private let onChange: @Sendable (EngineSnapshot) -> Void
    private var told = EngineSnapshot(state: .stopped)
    private var launching: Task<Void, Never>?
    private var pause: Task<Void, Never>?
    private var waiters = EngineWaiters()

    /// - Parameter onChange: Called with every new snapshot, in order; returns at once.
    package init(
        configuration: GuestConfiguration, launcher: any EngineLauncher, logger: Logger,
        policy: EngineStateMachine.Policy = .init(), onChange: @escaping @Sendable (EngineSnapshot) -> Void
    ) {
        self.configuration = configuration
        self.launcher = launcher
        self.logger = logger
        self.onChange = onChange
        recordFile = EngineRecordFile(path: configuration.state("engine.json"))
        memoryKills = MemoryKillCounter(paths: configuration.oomCounters)
        log = RotatingLog(path: configuration.logDirectory + "/engine.log")
        machine = EngineStateMachine(policy: policy)
    }

    package var snapshot: EngineSnapshot {
        EngineSnapshot(state: machine.state, pid: current?.process.pid, lastExit: lastExit, lastFailure: lastFailure)
    }

    // MARK: Commands

    /// Finds what an earlier agent left and makes it what it should be. Returns without waiting for the engine.
    ///
    /// - Throws: `.storage` when the records cannot be read.
    package func resume() async throws {
        let wanted = try desired
        try await recover()
        apply(wanted == .running ? .startAsked : .stopAsked)
    }

    /// Starts the engine, if it does not run, and waits until it can be used.
    ///
    /// - Throws: `.engineFailed` after the last try, `.timedOut`; the engine is wanted from now on all the same.
    package func start(deadline: Deadline) async throws {
        try setDesired(.running)
        apply(.startAsked)
        try await wait(for: .running, deadline)
    }

    /// Stops the engine if it runs, starts it and waits until it can be used. Errors as `start`.
    package func restart(deadline: Deadline) async throws {
        try setDesired(.running)
        apply(.restartAsked)
        try await wait(for: .running, deadline)
    }

    /// Stops the engine and waits for its end. It stays stopped, also when the agent starts again.
    ///
    /// - Throws: `.timedOut` at the deadline; stopping goes on.
    package func stop(deadline: Deadline) async throws {
        try setDesired(.stopped)
        apply(.stopAsked)
        try await wait(for: .stopped, deadline)
    }

    /// Stops watching and leaves the engine as it is.
    package func release() async {
        isReleased = true
        pause?.cancel()
        await launching?.value
        current?.cancel()
        current = nil
        waiters.failAll(GuestAgentError(.notReady, "the agent ends"))
    }

    /// Cuts the engine's log when it has grown too large.
    package func rotateLog() async {
        do {
            let log = log
            if try await OwnThread.run("log-rotate", { try log.rotateIfNeeded() }) {
                logger.info("the engine's log was rotated", metadata: ["file": "\(log.path)"])
            }
        } catch {
            logger.warning("the engine's log could not be rotated", metadata: ["error": "\(error)"])
        }
    }

    // MARK: What should be

    private enum Desired: String { case running, stopped }

    private var desired: Desired {
        get throws {
            let json = try FileAccess.readJSON(configuration.state("desired.json"))
            return json?["engine"]?.stringValue.flatMap(Desired.init(rawValue:)) ?? .stopped
        }
    }

    private func setDesired(_ desired: Desired) throws {
        try FileAccess.writeJSON(["engine": .string(desired.rawValue)], to: configuration.state("desired.json"))
    }

    // MARK: The state machine's actions

    func apply(_ event: EngineStateMachine.Event) {
        guard !isReleased else { return }
        for action in machine.handle(event) { perform(action) }
        publish()
    }

    /// Tells what is new.
    func publish() {
        let snapshot = snapshot
        if snapshot != told {
            told = snapshot
            onChange(snapshot)
        }
        waiters.settle(snapshot)
    }

    private func perform(_ action: EngineStateMachine.Action) {
        switch action {
        case .launch:
            launches += 1
            let number = launches
            launching = Task { await self.launch(number) }
        case .terminate: terminate()
        case .kill:
            logger.warning("the engine did not stop in time and is killed", metadata: metadata())
            current?.process.kill(configuration)
        case .pause(let duration):
            pause = Task {
                try? await Task.sleep(for: duration)
                if !Task.isCancelled { self.apply(.backoffOver) }
            }
        case .cancelPause: pause?.cancel()
        case .giveUp:
            logger.error("the engine is given up", metadata: metadata(["reason": "\(snapshot.reason)"]))
        }
    }

    /// Asks the engine to end. While it is still being launched there is nothing to ask: `launch` looks at the state.
    func terminate() {
        guard let run = current else { return }
        run.process.signal(run.record.stopSignal)
        current?.stopTimer = Task {
            try? await Task.sleep(for: run.record.stopTimeout)
            if !Task.isCancelled, self.current?.number == run.number { self.apply(.stopOverdue) }
        }
    }

    func metadata(_ more: Logger.Metadata = [:]) -> Logger.Metadata {
        var metadata: Logger.Metadata = ["instance.id": "\(configuration.instanceID)"]
        if let pid = current?.process.pid { metadata["engine.pid"] = "\(pid)" }
        return metadata.merging(more) { _, new in new }
    }

    // MARK: Waiting

    private func wait(for goal: EngineWaiters.Goal, _ deadline: Deadline) async throws {
        if let result = EngineWaiters.judge(goal, snapshot) { return try result.get() }
        var timer: Task<Void, Never>?
        let result = await withCheckedContinuation { continuation in
            let id = waiters.add(goal, continuation)
            timer = Task {
                try? await Task.sleep(until: deadline.instant, clock: .continuous)
                if !Task.isCancelled { self.expire(id) }
            }
        }
        timer?.cancel()
        try result.get()
    }

    private func expire(_ id: Int) {
        waiters.fail(id, GuestAgentError(.timedOut, "the engine took longer than allowed: \(snapshot.reason)"))
    }
}
