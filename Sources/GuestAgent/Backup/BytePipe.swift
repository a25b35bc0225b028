// SPDX-License-Identifier: Apache-2.0

import CLinux
import Glibc
import Synchronization

/// A pipe whose ends are closed once each.
final class BytePipe: Sendable {
    let readEnd: Int32
    let writeEnd: Int32
    private let open = Mutex((read: true, write: true))

    /// - Throws: `.busy` when there are no descriptors left.
    init() throws(GuestAgentError) {
        var ends: [Int32] = [-1, -1]
        let error = clinux_pipe(&ends)
        guard error == 0 else {
            throw GuestAgentError(.busy, "cannot make a pipe: \(String(cString: strerror(error)))")
        }
        readEnd = ends[0]
        writeEnd = ends[1]
        // Fewer switches between the two sides; the system's default does as well. Source: F_SETPIPE_SZ, fcntl(2).
        _ = fcntl(writeEnd, 1031, 1 << 20)
    }

    deinit {
        closeRead()
        closeWrite()
    }

    /// The writer's next write fails.
    func closeRead() {
        open.withLock { open in
            if open.read { close(readEnd) }
            open.read = false
        }
    }

    /// The reader sees the end.
    func closeWrite() {
        open.withLock { open in
            if open.write { close(writeEnd) }
            open.write = false
        }
    }
}

/// Asks two sides of a transfer to stop.
final class StopFlag: Sendable {
    private let isSet = Atomic(false)

    func set() { isSet.store(true, ordering: .releasing) }

    var value: Bool { isSet.load(ordering: .acquiring) }
}
