// SPDX-License-Identifier: Apache-2.0

import Calls
import Glibc

/// The file system under the data directory.
struct DataVolume: Sendable {
    let path: String

    /// How full it is, in the steps at which something is said.
    enum Level: Int, Sendable, Comparable {
        case normal
        /// 90 % and more.
        case warning
        /// 97 % and more.
        case critical

        static func < (left: Level, right: Level) -> Bool { left.rawValue < right.rawValue }

        init(_ stats: FilesystemStats) {
            // What the engine can still take counts, so blocks kept for root count as used, as in df(1).
            let used = stats.totalBlocks - stats.freeBlocks
            let permille = used * 1000 / max(1, used + stats.availableBlocks)
            self = permille >= 970 ? .critical : permille >= 900 ? .warning : .normal
        }
    }

    /// Source: statvfs(3).
    ///
    /// - Throws: `.storage` naming the directory.
    func stats() throws(GuestAgentError) -> FilesystemStats {
        var information = statvfs()
        guard statvfs(path, &information) == 0 else { throw FileAccess.failure("look at", path) }
        return FilesystemStats(
            blockSize: Int(information.f_frsize), totalBlocks: Int(information.f_blocks),
            freeBlocks: Int(information.f_bfree), availableBlocks: Int(information.f_bavail))
    }

    /// Whether a file system of its own is mounted there; else the numbers are those of the host's.
    var isOwn: Bool {
        var own = stat()
        var parent = stat()
        return stat(path, &own) == 0 && stat(path + "/..", &parent) == 0 && own.st_dev != parent.st_dev
    }
}
