// SPDX-License-Identifier: Apache-2.0

import Glibc

/// Bytes that volumes of this home may grow to, held against the size of the file system that they live on.
///
/// A promise is an empty file `<instance id>.<GiB>` in a directory of the home, so that counting all of them is one look at
/// the directory, and every process of the host counts the same. Promising is done under a lock: two processes at the
/// limit cannot both have the last bytes.
struct PromisedBytes: Sendable {
    let paths: LocalPaths
    private let overcommit: Double
    private let reserve: UInt64
    private let lockTimeout: Duration

    init(_ paths: LocalPaths, _ configuration: LocalComputeConfiguration) {
        self.paths = paths
        overcommit = configuration.overcommit
        reserve = UInt64(max(0, configuration.reserveGiB)) << 30
        lockTimeout = configuration.lockTimeout
    }

    /// Counts a volume that exists already, whatever the limit is: homes of earlier releases have no promises.
    func note(_ id: String, gibibytes: Int) throws(ComputeError) {
        let path = "\(paths.promises)/\(id).\(gibibytes)"
        guard !HostFiles.exists(path) else { return }
        try write(path)
    }

    func drop(_ id: String) throws(ComputeError) {
        for promise in promises() where promise.id == id {
            try HostFiles.removeFile("\(paths.promises)/\(promise.name)")
        }
    }

    var total: UInt64 { promises().reduce(0) { $0 + $1.bytes } }

    /// Promises a volume of `gibibytes` to an instance, in place of what it was promised before.
    ///
    /// - Throws: `.exhausted` past the limit.
    func reserve(_ id: String, gibibytes: Int) throws(ComputeError) {
        let lock = try FileLock.take(paths.lock("@promises"), within: lockTimeout, "promises of disk space")
        defer { lock.release() }
        let promises = promises()
        let own = promises.filter { $0.id == id }
        let others = promises.reduce(0) { $1.id == id ? $0 : $0 + $1.bytes }
        try admit(UInt64(gibibytes) << 30, besides: others)
        let name = "\(id).\(gibibytes)"
        try write("\(paths.promises)/\(name)")
        for old in own where old.name != name { try HostFiles.removeFile("\(paths.promises)/\(old.name)") }
    }

    /// Bytes of the file system that volumes live on, of them free, and what may be promised.
    func space() throws(ComputeError) -> (size: UInt64, free: UInt64, limit: Double) {
        let directory = paths.instances
        var info = statvfs()
        guard statvfs(directory, &info) == 0 else { throw HostFiles.failure("look at", directory, errno) }
        let size = UInt64(info.f_blocks) * UInt64(info.f_frsize)
        return (
            size, UInt64(info.f_bavail) * UInt64(info.f_frsize),
            size > reserve ? Double(size - reserve) * overcommit : 0
        )
    }

    private func admit(_ bytes: UInt64, besides others: UInt64) throws(ComputeError) {
        let directory = paths.instances
        let (_, free, limit) = try space()
        guard free > reserve else {
            throw ComputeError(
                .exhausted,
                "\(free >> 20) MiB are free below \(directory), \(reserve >> 20) MiB are kept in reserve; free space")
        }
        guard Double(others + bytes) <= limit else {
            throw ComputeError(
                .exhausted,
                "volumes are promised \(others >> 30) GiB already; \(bytes >> 30) GiB more pass the limit of "
                    + "\(UInt64(limit) >> 30) GiB (file system size × overcommit \(overcommit))")
        }
    }

    private func promises() -> [(name: String, id: String, bytes: UInt64)] {
        HostFiles.list(paths.promises).compactMap { name in
            let bytes = name.utf8
            guard let dot = bytes.lastIndex(of: UInt8(ascii: ".")),
                let size = UInt64(name[bytes.index(after: dot)...])
            else { return nil }
            return (name, String(name[..<dot]), size << 30)
        }
    }

    private func write(_ path: String) throws(ComputeError) {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw HostFiles.failure("create", path, errno) }
        close(descriptor)
    }
}
