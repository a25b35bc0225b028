// SPDX-License-Identifier: Apache-2.0

import Glibc

/// An advisory lock among the processes of one host, on a file; it ends with the process that holds it.
///
/// It belongs to the open file, not to the process: two holders within one process keep each other out as well. A lock's
/// file may be removed while the lock is held; whoever waited for it then looks for the new one. Source: flock(2).
struct FileLock: Sendable {
    enum Mode: Sendable {
        case exclusive
        case shared
    }

    private let descriptor: Int32

    /// Takes the lock if nobody has one that stands against it; nil else.
    static func attempt(_ path: String, _ mode: Mode = .exclusive) throws(ComputeError) -> FileLock? {
        let operation = (mode == .exclusive ? LOCK_EX : LOCK_SH) | LOCK_NB
        while true {
            let descriptor = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0o600)
            guard descriptor >= 0 else { throw HostFiles.failure("open", path, errno) }
            guard flock(descriptor, operation) == 0 else {
                let error = errno
                close(descriptor)
                if error == EINTR { continue }
                guard error == EWOULDBLOCK else { throw HostFiles.failure("lock", path, error) }
                return nil
            }
            var info = stat()
            if fstat(descriptor, &info) == 0, info.st_nlink > 0 { return FileLock(descriptor: descriptor) }
            close(descriptor)
        }
    }

    /// Takes the lock, waiting for those who have it.
    ///
    /// - Parameter what: What the lock stands for, for the error.
    /// - Throws: `.timedOut` (retryable) when it is still held after `timeout`.
    static func take(
        _ path: String, _ mode: Mode = .exclusive, within timeout: Duration, _ what: String
    ) throws(ComputeError) -> FileLock {
        if let lock = try attempt(path, mode) { return lock }
        let deadline = ContinuousClock.now + timeout
        var pause: UInt32 = 200
        while ContinuousClock.now < deadline {
            usleep(pause)
            if let lock = try attempt(path, mode) { return lock }
            pause = min(pause * 2, 20_000)
        }
        throw ComputeError(
            .timedOut, "another process has been working on \(what) for \(timeout) (lock \(path))", isRetryable: true)
    }

    /// Whether somebody holds the lock at `path`.
    static func isHeld(_ path: String) -> Bool {
        guard HostFiles.exists(path), let lock = try? attempt(path) else { return HostFiles.exists(path) }
        lock.release()
        return false
    }

    /// Gives the lock back, also where a child that has not yet started its program shares the open file.
    func release() {
        _ = flock(descriptor, LOCK_UN)
        close(descriptor)
    }
}
