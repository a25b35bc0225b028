// SPDX-License-Identifier: Apache-2.0

import Glibc

extension ControlGroups {
    /// Processes in an instance's group, in any hierarchy.
    func processes(_ id: String, _ role: GroupRole) -> Set<pid_t> {
        var pids: Set<pid_t> = []
        for file in procs(id, role) {
            let text = HostFiles.readText(file) ?? ""
            pids.formUnion(text.split(separator: "\n").compactMap { pid_t($0) })
        }
        return pids
    }

    /// Ids that have a group of this home in any hierarchy.
    func groups() -> Set<String> {
        var names: Set<String> = []
        for hierarchy in hierarchies {
            let top = "\(hierarchy.root)/\(paths.homeGroup)"
            names.formUnion(HostFiles.list(top).filter { HostFiles.isDirectory("\(top)/\($0)") })
        }
        return names
    }

    /// Kills everything in an instance's groups and returns once they are empty.
    ///
    /// `cgroup.kill` cannot miss a process that is just being forked; where it is missing, the list is killed until it
    /// stays empty.
    func kill(_ id: String, timeout: Duration) throws(ComputeError) {
        guard isAvailable else { return }
        let kills = GroupRole.allCases.flatMap { killFiles(id, $0) }
        for file in kills { _ = HostFiles.poke(file, "1") }
        let isEmpty = poll(for: timeout) {
            let left = GroupRole.allCases.reduce(into: Set<pid_t>()) { $0.formUnion(processes(id, $1)) }
            for pid in left { Glibc.kill(pid, SIGKILL) }
            return left.isEmpty
        }
        guard isEmpty else {
            throw ComputeError(
                .timedOut, "processes in control group \(paths.group(id)) did not end within \(timeout)",
                isRetryable: true)
        }
    }

    /// Removes an instance's groups, which must be empty of processes.
    func remove(_ id: String, timeout: Duration) throws(ComputeError) {
        for hierarchy in hierarchies {
            let top = "\(hierarchy.root)/\(paths.group(id))"
            guard HostFiles.isDirectory(top) else { continue }
            var last: Int32 = 0
            let isGone = poll(for: timeout) {
                last = Self.removeBelow(top)
                return last == 0 || last != EBUSY
            }
            guard isGone, last == 0 else { throw HostFiles.failure("remove control group", top, last) }
        }
    }

    /// Removes the home's own level and the common one, if nothing is in them.
    func removeHome() {
        for hierarchy in hierarchies {
            rmdir("\(hierarchy.root)/\(paths.homeGroup)")
            rmdir("\(hierarchy.root)/trove")
        }
    }

    private static func removeBelow(_ directory: String) -> Int32 {
        for name in HostFiles.list(directory) where HostFiles.isDirectory("\(directory)/\(name)") {
            let error = removeBelow("\(directory)/\(name)")
            guard error == 0 else { return error }
        }
        return rmdir(directory) == 0 || errno == ENOENT ? 0 : errno
    }
}
