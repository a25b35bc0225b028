// SPDX-License-Identifier: Apache-2.0

import Glibc
import ServiceLifecycle
import Synchronization

/// The worker's end of the socket pair to its parent: says when it serves, and ends the worker when the parent is gone.
final class Lifeline: Service {
    private let descriptor: Int32

    init(descriptor: Int32) { self.descriptor = descriptor }

    /// Tells the parent that requests are served.
    func sayReady() {
        var byte: UInt8 = 1
        _ = write(descriptor, &byte, 1)
    }

    /// Returns when the parent has ended, which stops the group; or on a graceful stop.
    func run() async throws {
        let descriptor = descriptor
        let (ended, continuation) = AsyncStream<Void>.makeStream()
        let thread = Thread.detached {
            var byte: UInt8 = 0
            while true {
                let count = read(descriptor, &byte, 1)
                if count == 0 || (count < 0 && errno != EINTR) { break }
            }
            continuation.yield()
            continuation.finish()
        }
        guard thread else { return }
        for await _ in ended.cancelOnGracefulShutdown() { break }
    }
}

/// A detached thread of its own for one blocking loop.
enum Thread {
    private final class Body: Sendable {
        let run: @Sendable () -> Void
        init(_ run: @Sendable @escaping () -> Void) { self.run = run }
    }

    /// - Returns: Whether the thread could be made.
    static func detached(_ body: @Sendable @escaping () -> Void) -> Bool {
        var thread = pthread_t()
        let box = Unmanaged.passRetained(Body(body))
        let code = pthread_create(
            &thread, nil,
            { context in
                guard let context else { return nil }
                Unmanaged<Body>.fromOpaque(context).takeRetainedValue().run()
                return nil
            }, box.toOpaque())
        if code != 0 { box.release() } else { pthread_detach(thread) }
        return code == 0
    }
}
