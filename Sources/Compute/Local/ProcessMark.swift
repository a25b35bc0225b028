// SPDX-License-Identifier: Apache-2.0

import CLinux
import Glibc

/// What stands in the name of a thing in the making: the process that makes it, such that another one with the same number
/// is not mistaken for it. Form `<pid>.<start time>`.
enum ProcessMark {
    /// This process.
    static let own: String = "\(getpid()).\(startTime(getpid()) ?? 0)"

    /// Whether the process that `name` begins with, before the first `-`, still runs. False for a name without a mark.
    static func isAlive(_ name: String) -> Bool {
        let parts = (name.split(separator: "-").first ?? "").split(separator: ".")
        guard parts.count == 2, let pid = pid_t(parts[0]), let start = UInt64(parts[1]) else { return false }
        return startTime(pid) == start
    }

    /// Clock ticks since boot; nil for a process that is gone or a zombie.
    private static func startTime(_ pid: pid_t) -> UInt64? {
        var start: UInt64 = 0
        var state: CChar = 0
        guard clinux_process_stat(pid, &start, &state) == 0, state != CChar(UInt8(ascii: "Z")),
            state != CChar(UInt8(ascii: "X"))
        else { return nil }
        return start
    }
}
