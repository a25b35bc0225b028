// SPDX-License-Identifier: Apache-2.0

import CLinux
import Dispatch
import Glibc

/// The one thread on which a plugin's [worker] functions run.
///
/// Unchecked: the job is handed over by the semaphores.
final class Worker: @unchecked Sendable {
    private let start = DispatchSemaphore(value: 0)
    private let finished = DispatchSemaphore(value: 0)
    private var job: (() -> Void)?
    private var thread: pthread_t = pthread_t()

    /// Whether the caller runs on the worker.
    static var isCurrent: Bool { identifier.isCurrent }
    private static let identifier = ThreadMark()

    init() {
        let context = Unmanaged.passRetained(self)
        pthread_create(
            &thread, nil,
            { argument in
                guard let argument else { return nil }
                let worker = Unmanaged<Worker>.fromOpaque(argument).takeRetainedValue()
                clinux_name_thread("trove-worker")
                _ = clinux_fault_thread_begin()
                Worker.identifier.take()
                while true {
                    worker.start.wait()
                    worker.job?()
                    worker.job = nil
                    worker.finished.signal()
                }
            }, context.toOpaque())
    }

    /// Runs a job and waits for its end; `tick` runs in between, at most `interval` apart.
    ///
    /// - Parameter tick: Returns false to give the job up; the worker is lost then.
    /// - Returns: False when the job was given up.
    func run(_ body: @escaping () -> Void, interval: Duration, tick: () -> Bool) -> Bool {
        job = body
        start.signal()
        let step =
            Int(interval.components.attoseconds / 1_000_000_000_000) + Int(interval.components.seconds) * 1_000_000
        while finished.wait(timeout: .now() + .microseconds(step)) == .timedOut {
            if !tick() { return false }
        }
        return true
    }
}

/// Remembers one thread.
///
/// Unchecked: one aligned word, written once.
final class ThreadMark: @unchecked Sendable {
    /// The thread on which [loader] functions run.
    static let loader = ThreadMark()

    private var value: pthread_t = 0
    var isCurrent: Bool { value == pthread_self() }
    func take() { value = pthread_self() }
}
