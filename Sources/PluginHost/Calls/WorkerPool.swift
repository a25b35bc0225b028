// SPDX-License-Identifier: Apache-2.0

/// The threads on which plugin functions run: started when needed, at most so many, with a bounded queue.
final class WorkerPool: Sendable {
    /// One a process: the threads are not the plugins' own.
    static let shared = WorkerPool(threads: 32, queue: 1024)

    private struct State {
        var jobs: [@Sendable () -> Void] = []
        var threads = 0
        var idle = 0
        /// Threads in calls that nobody waits for any more.
        var lost = 0
    }

    private let state = ConditionLock(State())
    private let threads: Int
    private let queue: Int

    init(threads: Int, queue: Int) {
        self.threads = threads
        self.queue = queue
    }

    /// Runs a job on a thread of the pool.
    ///
    /// - Returns: False when the queue is full, or no thread could be started at all.
    func submit(_ job: @escaping @Sendable () -> Void) -> Bool {
        let needsThread: Bool? = state.update { state in
            guard state.jobs.count < queue else { return nil }
            state.jobs.append(job)
            guard state.idle < state.jobs.count, state.threads - state.lost < threads else { return false }
            state.threads += 1
            return true
        }
        guard let needsThread else { return false }
        guard needsThread, !OwnThread.start("trove-plugin", { [self] in work() }) else { return true }
        return state.update { state in
            state.threads -= 1
            // The job is the queue's last unless a thread has taken it meanwhile; without threads nobody ever will.
            guard state.threads == 0, !state.jobs.isEmpty else { return true }
            state.jobs.removeLast()
            return false
        }
    }

    /// A thread is held by a call that was given up: another may be started in its place.
    func lose() { state.update { $0.lost += 1 } }

    /// Such a call has returned after all.
    func recover() { state.update { $0.lost -= 1 } }

    /// Takes jobs until there is none for a while, then ends the thread.
    private func work() {
        while let job = next() { job() }
    }

    private func next() -> (@Sendable () -> Void)? {
        state.update { $0.idle += 1 }
        let job: (@Sendable () -> Void)? = state.wait(until: .now + .seconds(60)) { state in
            guard !state.jobs.isEmpty else { return nil }
            state.idle -= 1
            return state.jobs.removeFirst()
        }
        guard job == nil else { return job }
        return state.update { state in
            state.idle -= 1
            if !state.jobs.isEmpty { return state.jobs.removeFirst() }
            state.threads -= 1
            return nil
        }
    }
}
