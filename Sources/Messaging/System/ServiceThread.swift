// SPDX-License-Identifier: Apache-2.0

import CLinux
import Glibc

/// A thread of its own for work that blocks, so that Swift's cooperative pool never does.
enum ServiceThread {
    private final class Body: Sendable {
        let name: String
        let run: @Sendable () -> Void

        init(_ name: String, _ run: @escaping @Sendable () -> Void) {
            self.name = name
            self.run = run
        }
    }

    /// Runs `body` on a new detached thread that takes no signals.
    ///
    /// - Parameters:
    ///   - name: At most 15 bytes, shown by ps(1) and gdb(1).
    ///   - body: Its end is the thread's end.
    /// - Returns: 0, or the errno of pthread_create(3).
    static func start(_ name: String, _ body: @escaping @Sendable () -> Void) -> Int32 {
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        defer { pthread_attr_destroy(&attributes) }
        pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
        pthread_attr_setstacksize(&attributes, 512 * 1024)
        var all = sigset_t()
        var previous = sigset_t()
        sigfillset(&all)
        pthread_sigmask(SIG_SETMASK, &all, &previous)
        defer { pthread_sigmask(SIG_SETMASK, &previous, nil) }
        var thread = pthread_t()
        let argument = Unmanaged.passRetained(Body(name, body))
        let failure = pthread_create(
            &thread, &attributes,
            { argument in
                guard let argument else { return nil }
                let body = Unmanaged<Body>.fromOpaque(argument).takeRetainedValue()
                clinux_name_thread(body.name)
                body.run()
                return nil
            }, argument.toOpaque()
        )
        if failure != 0 { argument.release() }
        return failure
    }
}
