// SPDX-License-Identifier: Apache-2.0

#if canImport(Glibc)
    import Glibc
#endif

/// An open file descriptor that closes once, by itself at the latest.
struct Descriptor: ~Copyable {
    let number: Int32

    init(owning number: Int32) { self.number = number }

    /// Opens `name` below the directory `parent` (`AT_FDCWD` for a path), never following a link in the last component.
    ///
    /// - Throws: The system's reason; `path` is what the message says.
    init(
        at parent: Int32, _ name: String, flags: Int32, mode: mode_t = 0, action: String, path: String
    ) throws(ObjectStoreError) {
        while true {
            let result = openat(parent, name, flags | O_CLOEXEC | O_NOFOLLOW, mode)
            if result >= 0 {
                number = result
                return
            }
            if errno != EINTR { throw ObjectStoreError(errno: errno, action, path: path) }
        }
    }

    /// Waits until the content is on the disk.
    borrowing func synchronize(path: String) throws(ObjectStoreError) {
        while fsync(number) != 0 {
            if errno != EINTR { throw ObjectStoreError(errno: errno, "sync", path: path) }
        }
    }

    deinit { Glibc.close(number) }
}
