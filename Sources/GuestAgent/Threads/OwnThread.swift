// SPDX-License-Identifier: Apache-2.0

import CLinux
import Glibc

/// Runs blocking work on a thread of its own, off Swift's cooperative pool.
enum OwnThread {
    private final class Work: Sendable {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }

    private static let stackBytes = 512 << 10

    /// Starts a detached thread.
    ///
    /// - Parameter name: Shown by the system's tools; 15 bytes are kept.
    /// - Returns: False when the system has no thread left.
    static func start(_ name: String, _ body: @escaping @Sendable () -> Void) -> Bool {
        let work = Work {
            clinux_name_thread(name)
            body()
        }
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        defer { pthread_attr_destroy(&attributes) }
        pthread_attr_setstacksize(&attributes, stackBytes)
        pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
        let context = Unmanaged.passRetained(work)
        var thread = pthread_t()
        let failed = pthread_create(
            &thread, &attributes,
            { context in
                if let context { Unmanaged<Work>.fromOpaque(context).takeRetainedValue().body() }
                return nil
            }, context.toOpaque())
        if failed != 0 { context.release() }
        return failed == 0
    }

    /// Runs `body` and gives back what it returns or throws.
    ///
    /// The body must end by itself: neither cancellation nor a deadline reaches it from here.
    static func run<Value: Sendable>(
        _ name: String, _ body: @escaping @Sendable () throws -> Value
    ) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            let started = start(name) { continuation.resume(with: Result(catching: body)) }
            if !started {
                continuation.resume(throwing: GuestAgentError(.busy, "the system has no thread left for '\(name)'"))
            }
        }
    }
}
