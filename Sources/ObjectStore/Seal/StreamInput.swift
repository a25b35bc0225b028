// SPDX-License-Identifier: Apache-2.0

#if canImport(Glibc)
    import Glibc
#endif

/// The reading end of the engine's stream; a silent writer does not keep it from noticing cancellation.
struct StreamInput {
    /// How long one wait lasts before cancellation is asked for again.
    static let waitMilliseconds: Int32 = 200

    let fd: Int32
    let cancellation: Cancellation

    init(fd: Int32, cancellation: Cancellation) {
        self.fd = fd
        self.cancellation = cancellation
        PipeSize.enlarge(fd)
    }

    /// Reads up to `buffer.count` bytes; 0 when every writer has closed.
    func read(into buffer: UnsafeMutableRawBufferPointer) throws(ObjectStoreError) -> Int {
        while true {
            try cancellation.check()
            var entry = pollfd(fd: fd, events: Int16(POLLIN), revents: 0)
            let ready = poll(&entry, 1, Self.waitMilliseconds)
            if ready == 0 || (ready < 0 && errno == EINTR) { continue }
            guard ready > 0 else { throw ObjectStoreError(errno: errno, "wait for", path: "the engine's stream") }
            guard entry.revents & Int16(POLLNVAL) == 0 else {
                throw ObjectStoreError(errno: EBADF, "read", path: "the engine's stream")
            }
            let count = Glibc.read(fd, buffer.baseAddress, buffer.count)
            if count >= 0 { return count }
            if errno != EINTR, errno != EAGAIN {
                throw ObjectStoreError(errno: errno, "read", path: "the engine's stream")
            }
        }
    }
}

enum PipeSize {
    /// F_SETPIPE_SZ, which the C library shows only to GNU sources. Source: linux/fcntl.h.
    private static let command: Int32 = 1031

    /// Gives a pipe a megabyte, so that writer and reader switch less often; a refusal costs only speed. Source: fcntl(2).
    static func enlarge(_ fd: Int32) { _ = fcntl(fd, command, 1 << 20) }
}
