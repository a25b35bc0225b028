// SPDX-License-Identifier: Apache-2.0

import Glibc
import Synchronization

/// SIGTERM and SIGINT as something to wait for.
///
/// The main thread does nothing but wait for them: an asynchronous main would leave it to libdispatch, which opens its
/// signal mask, and the process would end by the signal.
enum TerminationSignals {
    private enum State {
        /// Nobody wants to know: the process ends.
        case idle
        case expected
        case arrived(Int32)
        case awaited(CheckedContinuation<Int32, Never>)
    }

    private static let state = Mutex(State.idle)

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

    /// From now on a signal is kept for `wait`.
    static func expect() { state.withLock { $0 = .expected } }

    /// - Returns: The signal's number, at once when it came before.
    static func wait() async -> Int32 {
        await withCheckedContinuation { continuation in
            let arrived: Int32? = state.withLock { state in
                if case .arrived(let number) = state { return number }
                state = .awaited(continuation)
                return nil
            }
            if let arrived { continuation.resume(returning: arrived) }
        }
    }

    /// The main thread's work, for as long as the process lives.
    static func receive() -> Never {
        var set = set
        while true {
            var number: Int32 = 0
            guard sigwait(&set, &number) == 0 else { continue }
            state.withLock { state in
                switch state {
                case .idle: exit(128 + number)
                case .expected: state = .arrived(number)
                case .arrived: break
                case .awaited(let continuation):
                    state = .arrived(number)
                    continuation.resume(returning: number)
                }
            }
        }
    }
}
