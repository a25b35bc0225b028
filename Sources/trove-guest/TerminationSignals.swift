// SPDX-License-Identifier: Apache-2.0

import Glibc

/// SIGTERM and SIGINT as something to wait for.
enum TerminationSignals {
    private static var set: sigset_t {
        var set = sigset_t()
        sigemptyset(&set)
        sigaddset(&set, SIGTERM)
        sigaddset(&set, SIGINT)
        return set
    }

    /// Call it before any thread is made: threads inherit the mask.
    static func block() {
        var set = set
        pthread_sigmask(SIG_BLOCK, &set, nil)
    }

    /// Waits on a thread of its own.
    ///
    /// - Returns: The signal's number.
    static func wait() async -> Int32 {
        await withCheckedContinuation { continuation in
            Waiter(continuation).start()
        }
    }

    private final class Waiter: Sendable {
        private let continuation: CheckedContinuation<Int32, Never>

        init(_ continuation: CheckedContinuation<Int32, Never>) { self.continuation = continuation }

        func start() {
            var thread = pthread_t()
            let context = Unmanaged.passRetained(self)
            let failed = pthread_create(
                &thread, nil,
                { context in
                    if let context { Unmanaged<Waiter>.fromOpaque(context).takeRetainedValue().run() }
                    return nil
                }, context.toOpaque())
            if failed != 0 {
                context.release()
                continuation.resume(returning: 0)
            }
        }

        private func run() {
            var set = TerminationSignals.set
            var number: Int32 = 0
            while sigwait(&set, &number) != 0 {}
            continuation.resume(returning: number)
        }
    }
}
