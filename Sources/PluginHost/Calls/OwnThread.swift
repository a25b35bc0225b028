// SPDX-License-Identifier: Apache-2.0

import CLinux
import Glibc

/// Threads of the host's own, on which C may block.
enum OwnThread {
    private static let stackBytes = 8 << 20

    /// Unchecked: handed to exactly one thread, which takes it apart.
    private final class Start: @unchecked Sendable {
        let name: String
        let body: @Sendable () -> Void
        init(name: String, body: @escaping @Sendable () -> Void) {
            self.name = name
            self.body = body
        }
    }

    /// Starts a detached thread with an 8 MiB stack, an alternate signal stack, and only fault signals let through.
    ///
    /// - Parameter name: At most 15 bytes are shown by the system.
    /// - Returns: Whether the system had room for it.
    static func start(_ name: String, _ body: @escaping @Sendable () -> Void) -> Bool {
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        defer { pthread_attr_destroy(&attributes) }
        pthread_attr_setstacksize(&attributes, stackBytes)
        pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
        let start = Unmanaged.passRetained(Start(name: name, body: body))
        var thread = pthread_t()
        let result = pthread_create(
            &thread, &attributes,
            { argument in
                guard let argument else { return nil }
                let start = Unmanaged<Start>.fromOpaque(argument).takeRetainedValue()
                OwnThread.prepare(start.name)
                start.body()
                clinux_fault_thread_end()
                return nil
            }, start.toOpaque())
        guard result == 0 else {
            start.release()
            return false
        }
        return true
    }

    private static func prepare(_ name: String) {
        clinux_name_thread(name)
        // SIGPIPE and the process's own signals are for others; faults must reach the thread that caused them.
        var mask = sigset_t()
        sigfillset(&mask)
        for signal in [SIGSEGV, SIGBUS, SIGILL, SIGABRT, SIGFPE, SIGTRAP] { sigdelset(&mask, signal) }
        pthread_sigmask(SIG_SETMASK, &mask, nil)
        _ = clinux_fault_thread_begin()
    }
}
