// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// Where calls on one `self` wait for each other; a parallel lane is for functions without a `self`.
final class Lane: Sendable {
    struct Job: Sendable {
        let call: PluginCall
        let run: @Sendable () -> Void
    }

    private struct State {
        var waiting: [Job] = []
        var isBusy = false
        var isClosed = false
    }

    private static let limit = 256
    private let isSerial: Bool
    private let pool: WorkerPool
    private let state = Mutex(State())

    init(isSerial: Bool, pool: WorkerPool = .shared) {
        self.isSerial = isSerial
        self.pool = pool
    }

    /// Runs a job when it is its turn, or answers its call with why not.
    func submit(_ job: Job) {
        enum Step { case run, wait, refuse(PluginError.Code, String) }
        let step: Step = state.withLock { state in
            if state.isClosed { return .refuse(.unavailable, Self.closedMessage) }
            guard isSerial else { return .run }
            guard state.isBusy else {
                state.isBusy = true
                return .run
            }
            guard state.waiting.count < Self.limit else {
                return .refuse(.exhausted, "\(Self.limit) calls wait for their turn already")
            }
            state.waiting.append(job)
            return .wait
        }
        switch step {
        case .run: start(job)
        case .wait: break
        case .refuse(let code, let message): job.call.refuse(code, message)
        }
    }

    /// The running job is over: the next one may start.
    func finished() {
        guard isSerial else { return }
        let next: Job? = state.withLock { state in
            guard !state.isClosed, !state.waiting.isEmpty else {
                state.isBusy = false
                return nil
            }
            return state.waiting.removeFirst()
        }
        if let next { start(next) }
    }

    /// Nothing runs here any more: its `self` is held by a call that does not end.
    func close() {
        guard isSerial else { return }
        let refused = state.withLock { state in
            state.isClosed = true
            defer { state.waiting = [] }
            return state.waiting
        }
        for job in refused { job.call.refuse(.unavailable, Self.closedMessage) }
    }

    private static let closedMessage = "an earlier call does not end, or this was closed"

    private func start(_ job: Job) {
        guard !pool.submit(job.run) else { return }
        job.call.refuse(.exhausted, "too many plugin calls at once")
        finished()
    }
}
