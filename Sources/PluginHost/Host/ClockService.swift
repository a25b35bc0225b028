// SPDX-License-Identifier: Apache-2.0

import CTrovePlugin
import Glibc
import Model

/// `trove.clock/1`.
enum ClockService {
    static var table: trove_clock_1 {
        trove_clock_1(
            size: UInt32(MemoryLayout<trove_clock_1>.size), flags: 0,
            now_ns: { ClockService.read(CLOCK_REALTIME) },
            monotonic_ns: { ClockService.read(CLOCK_MONOTONIC) },
            sleep_ns: { call, nanoseconds in
                ServiceCall.serve(call, "clock.sleep") { call throws(PluginError) in
                    try ClockService.sleep(call, nanoseconds)
                }
            }
        )
    }

    private static func read(_ clock: clockid_t) -> Int64 {
        var time = timespec()
        clock_gettime(clock, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }

    private static func sleep(_ call: PluginCall, _ nanoseconds: Int64) throws(PluginError) {
        guard nanoseconds > 0 else { return }
        let wake = ContinuousClock.now + .nanoseconds(nanoseconds)
        // The deadline stops the call and makes the descriptor readable.
        while true {
            let left = ContinuousClock.now.duration(to: wake)
            guard left > .zero else { return }
            var watched = pollfd(fd: call.cancelFD(), events: Int16(POLLIN), revents: 0)
            // The last millisecond is slept through: poll(2) counts in whole ones.
            let milliseconds = Int32(min(left, .seconds(3600)) / .milliseconds(1))
            if milliseconds == 0 {
                usleep(UInt32(left / .microseconds(1)) + 1)
            } else if poll(&watched, 1, milliseconds) > 0 || call.isCancelled {
                throw PluginError(.cancelled, "the pause was cut short")
            }
        }
    }
}

/// `trove.thread-check/1`.
enum ThreadCheckService {
    static var table: trove_thread_check_1 {
        trove_thread_check_1(
            size: UInt32(MemoryLayout<trove_thread_check_1>.size), flags: 0,
            is_worker: { ThreadRole.current == .worker ? 1 : 0 },
            is_loader: { ThreadRole.current == .loader ? 1 : 0 }
        )
    }
}
