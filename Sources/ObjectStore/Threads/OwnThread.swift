// SPDX-License-Identifier: Apache-2.0

#if canImport(Glibc)
    import Glibc
#endif

/// A POSIX thread for work that blocks.
///
/// Every signal but those of faults is blocked in it: handlers run elsewhere, and writing into a pipe without a reader is
/// the error EPIPE (the signal stays pending on the thread and ends with it). Source: pthread_sigmask(3), signal(7).
struct OwnThread: ~Copyable {
    private let handle: pthread_t

    /// Starts `body`; the thread must be joined or detached.
    ///
    /// - Throws: `.unavailable` when the system has no thread left.
    init(_ body: @escaping @Sendable () -> Void) throws(ObjectStoreError) {
        handle = try Self.start(body, detached: false)
    }

    /// Waits for the end of the body.
    consuming func join() { pthread_join(handle, nil) }

    /// Lets the thread end by itself.
    consuming func detach() { pthread_detach(handle) }

    /// Runs `body` on a thread of its own and resumes the task with its outcome.
    static func run<Value: Sendable>(
        _ body: @escaping @Sendable () throws(ObjectStoreError) -> Value
    ) async throws(ObjectStoreError) -> Value {
        let result: Result<Value, ObjectStoreError> = await withCheckedContinuation { continuation in
            do throws(ObjectStoreError) {
                let work: @Sendable () -> Void = {
                    continuation.resume(returning: Result { () throws(ObjectStoreError) -> Value in try body() })
                }
                _ = try start(work, detached: true)
            } catch {
                continuation.resume(returning: .failure(error))
            }
        }
        return try result.get()
    }

    private final class Box {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }

    private static func start(
        _ body: @escaping @Sendable () -> Void, detached: Bool
    ) throws(ObjectStoreError) -> pthread_t {
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        defer { pthread_attr_destroy(&attributes) }
        pthread_attr_setstacksize(&attributes, 512 * 1024)
        if detached { pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED)) }
        let box = Unmanaged.passRetained(Box(body))
        var handle = pthread_t()
        let status = pthread_create(
            &handle, &attributes,
            { context in
                OwnThread.blockSignals()
                guard let context else { return nil }
                Unmanaged<Box>.fromOpaque(context).takeRetainedValue().body()
                return nil
            }, box.toOpaque())
        guard status == 0 else {
            box.release()
            throw ObjectStoreError(errno: status, "start a thread for", path: "the backup stream")
        }
        return handle
    }

    private static func blockSignals() {
        var set = sigset_t()
        sigfillset(&set)
        for fault in [SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP] { sigdelset(&set, fault) }
        pthread_sigmask(SIG_BLOCK, &set, nil)
    }
}
