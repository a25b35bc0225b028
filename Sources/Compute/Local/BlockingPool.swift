// SPDX-License-Identifier: Apache-2.0

import Glibc

/// A few threads of its own for blocking system calls, so that Swift's cooperative pool never waits for a disk.
///
/// Work on the same key runs one after the other, in the order of arrival.
final class BlockingPool: Sendable {
    private let queue: WorkQueue
    private let threads: Int

    init(threads: Int) {
        self.threads = threads
        queue = WorkQueue()
        for _ in 0..<threads { Self.startThread(queue) }
    }

    /// Runs `body` on one of the threads.
    func run<Value: Sendable>(
        key: String? = nil,
        _ body: @escaping @Sendable () throws(ComputeError) -> Value
    ) async throws(ComputeError) -> Value {
        let result: Result<Value, ComputeError> = await withCheckedContinuation { continuation in
            let accepted = queue.push(key: key) {
                do throws(ComputeError) {
                    continuation.resume(returning: .success(try body()))
                } catch {
                    continuation.resume(returning: .failure(error))
                }
            }
            if !accepted {
                continuation.resume(returning: .failure(ComputeError(.failed, "the compute driver is closed")))
            }
        }
        return try result.get()
    }

    /// Runs `body` on one of the threads while nobody waits; nothing happens after `close`.
    func start(_ body: @escaping @Sendable () -> Void) { _ = queue.push(key: nil, body) }

    /// Takes no more work; the threads end after what is queued.
    func close() { queue.close() }

    private static func startThread(_ queue: WorkQueue) {
        var thread = pthread_t()
        let context = Unmanaged.passRetained(queue).toOpaque()
        let error = pthread_create(
            &thread, nil,
            { context in
                guard let context else { return nil }
                let queue = Unmanaged<WorkQueue>.fromOpaque(context).takeRetainedValue()
                while let work = queue.pop() { work.run() }
                return nil
            }, context)
        if error == 0 {
            pthread_detach(thread)
        } else {
            Unmanaged<WorkQueue>.fromOpaque(context).release()
        }
    }
}

private struct Work: Sendable {
    var run: @Sendable () -> Void
}

/// Queued work; `mutex` protects everything, `condition` tells that work or the end has come.
// @unchecked: every access to the stored variables holds `mutex`.
private final class WorkQueue: @unchecked Sendable {
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private var ready: [Work] = []
    private var head = 0
    private var waiting: [String: [@Sendable () -> Void]] = [:]
    private var isClosed = false

    init() {
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(condition, nil)
    }

    deinit {
        pthread_cond_destroy(condition)
        pthread_mutex_destroy(mutex)
        condition.deallocate()
        mutex.deallocate()
    }

    func push(key: String?, _ body: @escaping @Sendable () -> Void) -> Bool {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        guard !isClosed else { return false }
        if let key {
            if waiting[key] != nil {
                waiting[key]?.append(body)
                return true
            }
            waiting[key] = []
            makeReady(keyed(key, body))
        } else {
            makeReady(Work(run: body))
        }
        return true
    }

    func pop() -> Work? {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        while head == ready.count {
            if isClosed, waiting.isEmpty { return nil }
            pthread_cond_wait(condition, mutex)
        }
        let work = ready[head]
        head += 1
        if head == ready.count {
            ready.removeAll(keepingCapacity: true)
            head = 0
        }
        return work
    }

    func close() {
        pthread_mutex_lock(mutex)
        isClosed = true
        pthread_cond_broadcast(condition)
        pthread_mutex_unlock(mutex)
    }

    private func keyed(_ key: String, _ body: @escaping @Sendable () -> Void) -> Work {
        Work {
            body()
            self.finish(key)
        }
    }

    private func finish(_ key: String) {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        guard var rest = waiting[key] else { return }
        if rest.isEmpty {
            waiting[key] = nil
            if isClosed, waiting.isEmpty { pthread_cond_broadcast(condition) }
        } else {
            let next = rest.removeFirst()
            waiting[key] = rest
            makeReady(keyed(key, next))
        }
    }

    private func makeReady(_ work: Work) {
        ready.append(work)
        pthread_cond_signal(condition)
    }
}
