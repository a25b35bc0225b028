// SPDX-License-Identifier: Apache-2.0

import Glibc

/// Small files that nobody else may write, replaced in one piece.
package enum PrivateFile {
    /// Writes `bytes` beside `path`, 0600, and renames.
    ///
    /// - Returns: False with `errno` set when it cannot.
    package static func write(_ bytes: [UInt8], to path: String, mode: UInt32 = 0o600) -> Bool {
        let new = "\(path).\(getpid()).\(UInt32.random(in: 0...UInt32.max)).new"
        let file = open(new, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode)
        guard file >= 0 else { return false }
        var offset = 0
        while offset < bytes.count {
            let count = bytes[offset...].withUnsafeBytes { Glibc.write(file, $0.baseAddress, $0.count) }
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { break }
            offset += count
        }
        let isWhole = offset == bytes.count && fchmod(file, mode) == 0 && fsync(file) == 0
        let code = errno
        close(file)
        if isWhole, rename(new, path) == 0 { return true }
        let reason = isWhole ? errno : code
        unlink(new)
        errno = reason
        return false
    }
}
