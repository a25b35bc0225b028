// SPDX-License-Identifier: Apache-2.0

import Glibc

/// Small questions to the file system.
enum Files {
    static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

    /// The device and inode of a path as text; nil when it is not there.
    static func identity(_ path: String) -> String? {
        var status = stat()
        return stat(path, &status) == 0 ? "\(status.st_dev)-\(status.st_ino)" : nil
    }
}
