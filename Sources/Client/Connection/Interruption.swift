// SPDX-License-Identifier: Apache-2.0

import CLinux
import Glibc

/// Ctrl-C while a command waits, and the pauses that it ends.
package final class Interruption {
    /// Readable once Ctrl-C came; -1 as long as it ends the process as usual.
    package private(set) var descriptor: Int32 = -1

    package init() {}

    /// From here on Ctrl-C ends pauses and exchanges, not the process. Once a process.
    package func arm() {
        guard descriptor < 0 else { return }
        descriptor = max(clinux_signal_fd([SIGINT], 1), -1)
    }

    /// Sleeps.
    ///
    /// - Throws: `ClientError.interrupted`.
    package func pause(_ time: Duration) throws {
        let end = ContinuousClock.now + time
        while true {
            let left = ContinuousClock.now.duration(to: end)
            guard left > .zero else { return }
            var watched = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            let found = poll(&watched, descriptor < 0 ? 0 : 1, Int32(min(left / .milliseconds(1) + 1, 60_000)))
            if found > 0 { throw ClientError(.interrupted, "interrupted") }
        }
    }
}
