// SPDX-License-Identifier: Apache-2.0

import Glibc

/// What is asked of file systems.
public enum FileSystem {
    /// Bytes in use on the file system of `path`, if it has one of its own; else 0.
    public static func bytesInUse(_ path: String) -> UInt64 {
        var here = stat()
        var parent = stat()
        guard stat(path, &here) == 0, stat(path + "/..", &parent) == 0, here.st_dev != parent.st_dev else { return 0 }
        var status = statvfs()
        guard statvfs(path, &status) == 0 else { return 0 }
        return UInt64(status.f_blocks - status.f_bfree) * UInt64(status.f_frsize)
    }
}
