// SPDX-License-Identifier: Apache-2.0

#if canImport(Glibc)
    import Glibc
#endif

/// The writing end of a stream to the engine; a reader that does not read does not keep it from noticing cancellation.
///
/// The descriptor is non-blocking while this lives.
struct StreamOutput: ~Copyable {
    private let fd: Int32
    private let flags: Int32
    private let cancellation: Cancellation

    init(fd: Int32, cancellation: Cancellation) {
        self.fd = fd
        self.cancellation = cancellation
        flags = fcntl(fd, F_GETFL)
        if flags >= 0 { _ = fcntl(fd, F_SETFL, flags | O_NONBLOCK) }
        PipeSize.enlarge(fd)
    }

    deinit { if flags >= 0 { _ = fcntl(fd, F_SETFL, flags) } }

    /// Writes all of `bytes`.
    ///
    /// - Throws: `.outputClosed` when the reader is gone, `.full` for a file without room, `.cancelled`.
    borrowing func write(_ bytes: UnsafeRawBufferPointer) throws(ObjectStoreError) {
        var offset = 0
        while offset < bytes.count {
            try cancellation.check()
            let count = Glibc.write(fd, bytes.baseAddress.map { $0 + offset }, bytes.count - offset)
            if count >= 0 {
                offset += count
            } else if errno == EAGAIN {
                var entry = pollfd(fd: fd, events: Int16(POLLOUT), revents: 0)
                poll(&entry, 1, StreamInput.waitMilliseconds)
            } else if errno != EINTR {
                throw ObjectStoreError(errno: errno, "write to", path: "the engine's stream")
            }
        }
    }
}
