// SPDX-License-Identifier: Apache-2.0

import Glibc
import Synchronization

/// Bytes that volumes of this home may grow to, held against the size of the file system that they live on.
final class PromisedBytes: Sendable {
    private let promises = Mutex<[String: UInt64]>([:])
    private let directory: String
    private let overcommit: Double
    private let reserve: UInt64

    init(directory: String, overcommit: Double, reserveGiB: Int) {
        self.directory = directory
        self.overcommit = overcommit
        reserve = UInt64(max(0, reserveGiB)) << 30
    }

    /// Counts a volume that exists already.
    func load(_ id: String, _ bytes: UInt64) { promises.withLock { $0[id] = bytes } }

    func drop(_ id: String) { promises.withLock { _ = $0.removeValue(forKey: id) } }

    var total: UInt64 { promises.withLock { $0.values.reduce(0, +) } }

    /// Promises `bytes` to an instance, in place of what it was promised before.
    func reserve(_ id: String, _ bytes: UInt64) throws(ComputeError) {
        var info = statvfs()
        guard statvfs(directory, &info) == 0 else { throw HostFiles.failure("look at", directory, errno) }
        let size = UInt64(info.f_blocks) * UInt64(info.f_frsize)
        let free = UInt64(info.f_bavail) * UInt64(info.f_frsize)
        guard free > reserve else {
            throw ComputeError(
                .exhausted,
                "\(free >> 20) MiB are free below \(directory), \(reserve >> 20) MiB are kept in reserve; free space")
        }
        let limit = size > reserve ? Double(size - reserve) * overcommit : 0
        let others = promises.withLock { promises -> UInt64? in
            let others = promises.reduce(0) { $1.key == id ? $0 : $0 + $1.value }
            guard Double(others + bytes) <= limit else { return others }
            promises[id] = bytes
            return nil
        }
        if let others {
            throw ComputeError(
                .exhausted,
                "volumes are promised \(others >> 30) GiB already; \(bytes >> 30) GiB more pass the limit of "
                    + "\(UInt64(limit) >> 30) GiB (file system size × overcommit \(overcommit))")
        }
    }
}
