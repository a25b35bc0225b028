// SPDX-License-Identifier: Apache-2.0

import Glibc

/// Threads that run jobs, each with a connection of its own, so that neither the cooperative pool nor a chain of dispatch
/// queues stands between a request and its connection.
///
/// `@unchecked`: everything mutable is touched under `mutex`.
final class ConnectionThreads<Connection>: @unchecked Sendable {
    /// Gets the thread's connection by calling its argument, which throws why there is none.
    typealias Job = @Sendable (ConnectionSlot<Connection>) -> Void

    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private let open: @Sendable () throws(StateStoreError) -> Connection
    private let limit: Int
    private var jobs: [Job] = []
    private var next = 0
    private var isEnding = false
    /// Threads that have not ended.
    private var living = 0
    private var whenEnded: [@Sendable () -> Void] = []

    /// - Parameters:
    ///   - limit: How many jobs may wait.
    ///   - open: Called on a thread before its first use of a connection, and again before a later one if it threw or the
    ///     connection was discarded.
    init(
        count: Int, limit: Int = .max, open: @Sendable @escaping () throws(StateStoreError) -> Connection
    ) {
        self.open = open
        self.limit = limit
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(condition, nil)
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        for _ in 0..<count where PosixThread.start({ self.work() }) { living += 1 }
    }

    deinit {
        pthread_cond_destroy(condition)
        pthread_mutex_destroy(mutex)
        condition.deallocate()
        mutex.deallocate()
    }

    /// Runs `job` on one of the threads, after those that wait already; once they end or when too many wait, at once and
    /// without a connection.
    func run(_ job: @escaping Job) {
        pthread_mutex_lock(mutex)
        let refusal: StateStoreError? =
            if isEnding {
                StateStoreError(.unavailable, "The state store is closed.")
            } else if jobs.count - next >= limit {
                StateStoreError(.busy, "More than \(limit) transactions wait for a connection of the state store.")
            } else {
                nil
            }
        if refusal == nil { jobs.append(job) }
        pthread_mutex_unlock(mutex)
        if let refusal {
            job(ConnectionSlot { () throws(StateStoreError) in throw refusal })
        } else {
            // With the mutex free, or the thread would wake only to wait for it.
            pthread_cond_signal(condition)
        }
    }

    /// Lets the threads end when they have run what waits.
    ///
    /// - Parameter done: Called once, when every thread has closed its connection.
    func end(_ done: (@Sendable () -> Void)? = nil) {
        pthread_mutex_lock(mutex)
        isEnding = true
        pthread_cond_broadcast(condition)
        let haveEnded = living == 0
        if !haveEnded, let done { whenEnded.append(done) }
        pthread_mutex_unlock(mutex)
        if haveEnded { done?() }
    }

    private func work() {
        serve()
        pthread_mutex_lock(mutex)
        living -= 1
        let callbacks = living == 0 ? whenEnded : []
        if living == 0 { whenEnded = [] }
        pthread_mutex_unlock(mutex)
        for callback in callbacks { callback() }
    }

    /// Runs jobs until the end; the connection is closed when this returns.
    private func serve() {
        let slot = ConnectionSlot(open)
        while let job = take() { job(slot) }
    }

    private func take() -> Job? {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        while next == jobs.count {
            if isEnding { return nil }
            pthread_cond_wait(condition, mutex)
        }
        let job = jobs[next]
        next += 1
        if next == jobs.count {
            jobs.removeAll(keepingCapacity: true)
            next = 0
        } else if next == 256 {
            // A queue that never runs empty does not keep what is done.
            jobs.removeFirst(next)
            next = 0
        }
        return job
    }
}

/// One thread's connection, made when it is first asked for. Not `Sendable`: it stays on its thread.
final class ConnectionSlot<Connection> {
    private let open: () throws(StateStoreError) -> Connection
    private(set) var current: Connection?

    init(_ open: @escaping () throws(StateStoreError) -> Connection) { self.open = open }

    func callAsFunction() throws(StateStoreError) -> Connection {
        if let current { return current }
        let opened = try open()
        current = opened
        return opened
    }

    /// Lets go of the connection, so that the next one who asks gets a new one.
    func discard() { current = nil }
}

/// A detached thread without signals: those of the process go to others, and a broken connection is an error code.
enum PosixThread {
    private final class Body {
        let run: @Sendable () -> Void
        init(_ run: @Sendable @escaping () -> Void) { self.run = run }
    }

    /// False when the system has no thread left.
    static func start(_ run: @Sendable @escaping () -> Void) -> Bool {
        var thread = pthread_t()
        let box = Unmanaged.passRetained(Body(run))
        let code = pthread_create(
            &thread, nil,
            { context in
                guard let context else { return nil }
                var all = sigset_t()
                sigfillset(&all)
                pthread_sigmask(SIG_BLOCK, &all, nil)
                Unmanaged<Body>.fromOpaque(context).takeRetainedValue().run()
                return nil
            }, box.toOpaque())
        guard code == 0 else {
            box.release()
            return false
        }
        pthread_detach(thread)
        return true
    }
}
