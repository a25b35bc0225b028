// SPDX-License-Identifier: Apache-2.0

import Glibc
import TrovePluginKit

/// Waiting for a socket, no longer than the call lasts.
enum Wait {
    enum Event {
        case readable, writable

        var bits: Int16 { Int16(self == .readable ? POLLIN : POLLOUT) }
    }

    /// Returns when `socket` can be used.
    ///
    /// - Throws: `PluginFailure` `.cancelled`, `.timedOut`, `.unavailable` without a socket.
    static func until(_ event: Event, _ socket: Int32, _ call: Call) throws {
        guard socket >= 0 else { throw PluginFailure(.unavailable, "the connection was lost") }
        while true {
            try call.check()
            var entries = [
                pollfd(fd: socket, events: event.bits, revents: 0),
                pollfd(fd: call.cancelDescriptor ?? -1, events: Int16(POLLIN), revents: 0),
            ]
            poll(&entries, 2, milliseconds(call))
            if entries[0].revents != 0 { return }
        }
    }

    /// Waits, but not past a cancellation.
    static func pause(_ call: Call, milliseconds: Int32) {
        var entry = pollfd(fd: call.cancelDescriptor ?? -1, events: Int16(POLLIN), revents: 0)
        poll(&entry, 1, milliseconds)
    }

    /// What is left of the call, at most a second: where the host has no descriptor for it, a cancellation is asked for.
    private static func milliseconds(_ call: Call) -> Int32 {
        guard let left = call.timeLeft, left < .seconds(1) else { return 1000 }
        return Int32(max(left / .milliseconds(1), 0)) + 1
    }
}
