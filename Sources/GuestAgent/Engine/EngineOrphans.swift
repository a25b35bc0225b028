// SPDX-License-Identifier: Apache-2.0

import CLinux
import Glibc

/// Finds processes that an agent started and did not live to write down.
enum EngineOrphans {
    /// Numbers in a `cgroup.procs` file.
    static func members(of path: String) -> [Int32] {
        let content = (try? FileAccess.read(path)) ?? []
        return String(decoding: content, as: UTF8.self).split(separator: "\n").compactMap { Int32($0) }
    }

    /// Ends every process whose environment says that it belongs to this notify socket, and waits until they are gone.
    /// Blocks.
    ///
    /// - Returns: How many there were.
    static func end(notifySocket: String) -> Int {
        let mark = Array("NOTIFY_SOCKET=\(notifySocket)".utf8)
        var ended = 0
        for name in FileAccess.names(in: "/proc") {
            guard let pid = Int32(name), pid != getpid() else { continue }
            let descriptor = clinux_pidfd_open(pid)
            guard descriptor >= 0 else { continue }
            defer { close(descriptor) }
            // Read after the descriptor was opened: it is of the same process, or the read shows another's mark.
            guard let content = try? FileAccess.read("/proc/\(pid)/environ"),
                content.split(separator: 0).contains(where: { $0.elementsEqual(mark) })
            else { continue }
            guard clinux_pidfd_signal(descriptor, SIGKILL) == 0 else { continue }
            var status: Int32 = 0
            _ = clinux_pidfd_wait(descriptor, 10_000, &status)
            ended += 1
        }
        return ended
    }
}
