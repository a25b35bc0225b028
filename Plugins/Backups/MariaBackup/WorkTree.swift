// SPDX-License-Identifier: Apache-2.0

import Glibc
import TrovePluginKit

/// Directories of the strategy's own, with everything in them.
enum WorkTree {
    /// Deletes what is at `path`; nothing there is fine. Links are deleted, not followed.
    static func remove(_ path: String) throws {
        var status = stat()
        guard lstat(path, &status) == 0 else { return }
        guard status.st_mode & S_IFMT == S_IFDIR else { return try PluginFiles.remove(path) }
        for name in try PluginFiles.names(in: path) { try remove(path + "/" + name) }
        guard rmdir(path) == 0 || errno == ENOENT else {
            throw PluginFailure(.internal, "could not delete \(path): \(String(cString: strerror(errno)))")
        }
    }

    /// Makes an empty directory of `owner`'s, without what was there before.
    static func make(_ path: String, owner: (uid: UInt32, gid: UInt32)) throws {
        try remove(path)
        try PluginFiles.makeDirectory(path, owner: owner)
    }
}
