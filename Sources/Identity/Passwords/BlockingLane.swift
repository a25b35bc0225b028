// SPDX-License-Identifier: Apache-2.0

import Synchronization

#if canImport(Glibc)
    import Glibc
#endif

/// A few POSIX threads for work that blocks or computes long, with a bounded queue; threads end when the queue is empty.
final class BlockingLane: Sendable {
    private struct Job: Sendable {
        var run: @Sendable () -> Void
        var refuse: @Sendable () -> Void
    }

    private struct State: Sendable {
        var running = 0
        var waiting: [Job] = []
    }

    private let threads: Int
    private let capacity: Int
    private let refusal: String
    private let state = Mutex(State())

    /// - Parameters:
    ///   - threads: Jobs at the same time.
    ///   - capacity: Jobs that wait; more are refused.
    ///   - refusal: One sentence for those.
    init(threads: Int, capacity: Int, refusal: String) {
        self.threads = threads
        self.capacity = capacity
        self.refusal = refusal
    }

    /// Runs `body` on a thread of the lane.
    ///
    /// - Throws: `.overloaded` when the queue is full; what `body` throws.
    func run<Value: Sendable>(
        _ body: @escaping @Sendable () throws(IdentityError) -> Value
    ) async throws(IdentityError) -> Value {
        let result: Result<Value, IdentityError> = await withCheckedContinuation { continuation in
            post(
                Job(
                    run: {
                        continuation.resume(returning: Result { () throws(IdentityError) -> Value in try body() })
                    },
                    refuse: { [refusal] in
                        continuation.resume(returning: .failure(IdentityError(.overloaded, refusal)))
                    }))
        }
        return try result.get()
    }

    /// Runs `body` some time, or not at all when the queue is full.
    func attempt(_ body: @escaping @Sendable () -> Void) { post(Job(run: body, refuse: {})) }

    private enum Admission { case queued, refused, startThread }

    private func post(_ job: Job) {
        let admission = state.withLock { state -> Admission in
            if state.running < threads {
                state.running += 1
                return .startThread
            }
            guard state.waiting.count < capacity else { return .refused }
            state.waiting.append(job)
            return .queued
        }
        switch admission {
        case .queued: return
        case .refused: job.refuse()
        case .startThread:
            if !Self.start({ self.work(job) }) { refuseWaiting(after: job) }
        }
    }

    private func work(_ first: Job) {
        var next: Job? = first
        while let job = next {
            job.run()
            next = state.withLock { state -> Job? in
                if state.waiting.isEmpty {
                    state.running -= 1
                    return nil
                }
                return state.waiting.removeFirst()
            }
        }
    }

    /// No thread can be made: whoever would wait for one is told.
    private func refuseWaiting(after job: Job) {
        let stranded = state.withLock { state -> [Job] in
            state.running -= 1
            guard state.running == 0 else { return [] }
            defer { state.waiting = [] }
            return state.waiting
        }
        for job in [job] + stranded { job.refuse() }
    }

    private final class Box {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }

    private static func start(_ body: @escaping @Sendable () -> Void) -> Bool {
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        defer { pthread_attr_destroy(&attributes) }
        pthread_attr_setstacksize(&attributes, 512 * 1024)
        pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
        let box = Unmanaged.passRetained(Box(body))
        var handle = pthread_t()
        let status = pthread_create(
            &handle, &attributes,
            { context in
                // Signals are other threads' business. Source: pthread_sigmask(3).
                var set = sigset_t()
                sigfillset(&set)
                for fault in [SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP] { sigdelset(&set, fault) }
                pthread_sigmask(SIG_BLOCK, &set, nil)
                guard let context else { return nil }
                Unmanaged<Box>.fromOpaque(context).takeRetainedValue().body()
                return nil
            }, box.toOpaque())
        if status != 0 { box.release() }
        return status == 0
    }
}
