// SPDX-License-Identifier: Apache-2.0

import Glibc

/// Threads that run reads, so that neither the cooperative pool nor a chain of dispatch queues stands between a request and
/// its connection.
///
/// `@unchecked`: everything mutable is touched under `mutex`.
final class ReaderThreads: @unchecked Sendable {
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private var jobs: [@Sendable () -> Void] = []
    private var next = 0
    private var isEnding = false

    init(count: Int) {
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(condition, nil)
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
            if code == 0 { pthread_detach(thread) } else { box.release() }
        }
    }

    deinit {
        pthread_cond_destroy(condition)
        pthread_mutex_destroy(mutex)
        condition.deallocate()
        mutex.deallocate()
    }

    /// Runs `job` on one of the threads, after those that wait already; once they end, at once: it finds the database closed.
    func run(_ job: @Sendable @escaping () -> Void) {
        pthread_mutex_lock(mutex)
        let hasEnded = isEnding
        if !hasEnded {
            jobs.append(job)
            pthread_cond_signal(condition)
        }
        pthread_mutex_unlock(mutex)
        if hasEnded { job() }
    }

    /// Lets the threads end when they have run what waits.
    func end() {
        pthread_mutex_lock(mutex)
        isEnding = true
        pthread_cond_broadcast(condition)
        pthread_mutex_unlock(mutex)
    }

    private func work() {
        while let job = take() { job() }
    }

    private func take() -> (@Sendable () -> Void)? {
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
        }
        return job
    }
}
