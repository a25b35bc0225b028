// SPDX-License-Identifier: Apache-2.0

import Glibc

/// Threads that run reads, each with a connection of its own, so that neither the cooperative pool nor a chain of dispatch
/// queues stands between a request and its connection.
///
/// `@unchecked`: everything mutable is touched under `mutex`.
final class ReaderThreads: @unchecked Sendable {
    /// Gets the thread's connection, or throws why there is none.
    typealias Job = @Sendable (() throws(StateStoreError) -> SQLiteReader) -> Void

    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private let open: @Sendable () throws(StateStoreError) -> SQLiteReader
    private var jobs: [Job] = []
    private var next = 0
    private var isEnding = false
    /// Threads that have not ended.
    private var living = 0
    private var whenEnded: [@Sendable () -> Void] = []

    /// - Parameter open: Called on a thread before its first read, and again before a later one if it threw.
    init(count: Int, open: @Sendable @escaping () throws(StateStoreError) -> SQLiteReader) {
        self.open = open
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(condition, nil)
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        for _ in 0..<count {
            var thread = pthread_t()
            let box = Unmanaged.passRetained(self)
            let code = pthread_create(
                &thread, nil,
                { context in
                    guard let context else { return nil }
                    Unmanaged<ReaderThreads>.fromOpaque(context).takeRetainedValue().work()
                    return nil
                }, box.toOpaque())
            if code == 0 {
                pthread_detach(thread)
                living += 1
            } else {
                box.release()
            }
        }
    }

    deinit {
        pthread_cond_destroy(condition)
        pthread_mutex_destroy(mutex)
        condition.deallocate()
        mutex.deallocate()
    }

    /// Runs `job` on one of the threads, after those that wait already; once they end, at once and without a connection.
    func run(_ job: @escaping Job) {
        pthread_mutex_lock(mutex)
        let hasEnded = isEnding
        if !hasEnded { jobs.append(job) }
        pthread_mutex_unlock(mutex)
        if hasEnded {
            job { () throws(StateStoreError) in throw StateStoreError(.unavailable, "The state store is closed.") }
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
        var reader: SQLiteReader?
        while let job = take() {
            job { () throws(StateStoreError) in
                if let reader { return reader }
                let opened = try open()
                reader = opened
                return opened
            }
        }
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
