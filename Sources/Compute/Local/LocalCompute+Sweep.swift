// SPDX-License-Identifier: Apache-2.0

import CLinux
import Glibc
import Logging

/// Several processes of the host may work on one home. What is in the making is named by its lock or by its maker's mark, so
/// that what nobody makes any more is told from what somebody does.
extension LocalCompute {
    /// Runs work on an instance's server or volume: here in order of arrival, and never while another process works on it.
    func run<Value: Sendable>(
        on key: String, _ body: @escaping @Sendable () throws(ComputeError) -> Value
    ) async throws(ComputeError) -> Value {
        try await pool.run(key: key) { () throws(ComputeError) in
            let lock = try FileLock.take(
                self.paths.lock(key), within: self.configuration.lockTimeout, "instance \(key)")
            defer { lock.release() }
            return try body()
        }
    }

    /// Work on a volume goes on beside work on its server, but never twice at once.
    static func volumeKey(_ id: String) -> String { "\(id).volume" }

    /// Removes a lock's file unless somebody has it.
    func removeLock(_ name: String) {
        guard let lock = try? FileLock.attempt(paths.lock(name)) else { return }
        unlink(paths.lock(name))
        lock.release()
    }

    /// For the keeper: removes what processes left that are gone.
    func sweep() {
        for name in HostFiles.list(paths.trash) where !ProcessMark.isAlive(name) {
            removeInBackground("\(paths.trash)/\(name)")
        }
        for name in HostFiles.list(paths.homeRun) where name.hasSuffix(VolumeHost.probeSuffix) {
            guard !ProcessMark.isAlive(name) else { continue }
            clinux_unmount("\(paths.homeRun)/\(name)", 1)
            rmdir("\(paths.homeRun)/\(name)")
        }
        sweepTemplates()
        sweepLocks()
    }

    /// Lock files of instances that are gone: a process that came late may have made them once more.
    private func sweepLocks() {
        for name in HostFiles.list(paths.locks) where !name.contains("@") {
            let id = name.prefix { $0 != "." }
            if !HostFiles.exists(paths.instance(String(id))) { removeLock(name) }
        }
    }
}
