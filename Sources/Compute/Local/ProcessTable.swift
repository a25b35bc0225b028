// SPDX-License-Identifier: Apache-2.0

import Glibc

/// One process as `/proc` shows it. Source: proc_pid_stat(5), proc_pid_cmdline(5).
struct ProcessEntry: Sendable, Hashable {
    var pid: pid_t
    var parent: pid_t
    var session: pid_t
    var arguments: [String]
    var directory: String

    /// Nil for one that is gone or a zombie.
    init?(_ pid: pid_t) {
        guard let stat = HostFiles.readText("/proc/\(pid)/stat"), let name = stat.lastIndex(of: ")") else { return nil }
        let fields = stat[stat.index(after: name)...].split(separator: " ")
        guard fields.count > 3, fields[0] != "Z", fields[0] != "X", let parent = pid_t(fields[1]),
            let session = pid_t(fields[3])
        else { return nil }
        self.pid = pid
        self.parent = parent
        self.session = session
        arguments = (HostFiles.read("/proc/\(pid)/cmdline") ?? []).split(separator: 0)
            .map { String(decoding: $0, as: UTF8.self) }
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
        let length = readlink("/proc/\(pid)/cwd", &buffer, buffer.count)
        directory = length > 0 ? String(decoding: buffer[..<length].map { UInt8(bitPattern: $0) }, as: UTF8.self) : ""
    }

    static func all() -> [ProcessEntry] {
        HostFiles.list("/proc").compactMap { pid_t($0) }.compactMap(ProcessEntry.init)
    }

    /// The value after `--config`.
    var configuration: String? {
        guard let index = arguments.firstIndex(of: "--config"), arguments.indices.contains(index + 1) else {
            return nil
        }
        return arguments[index + 1]
    }

    /// Whether it works in, or was started with, something below one of `directories`.
    func mentions(_ directories: [String]) -> Bool {
        directories.contains { path in
            directory == path || directory.hasPrefix(path + "/")
                || arguments.contains { $0.contains(path + "/") || $0.hasSuffix(path) }
        }
    }
}

/// Finds an instance's processes on a host without control groups.
enum ProcessTable {
    /// Processes that descend from `agent`, or lead a session of their own (or were orphaned) and work on the
    /// instance's directories, or are agents that do; with all their descendants. An operator's editor is neither.
    static func family(of agent: pid_t?, directories: [String], in table: [ProcessEntry]) -> Set<pid_t> {
        let own = getpid()
        var family: Set<pid_t> = agent.map { [$0] } ?? []
        for entry in table where entry.pid != own {
            guard entry.session == entry.pid || entry.parent == 1 || entry.configuration != nil else { continue }
            if entry.mentions(directories) { family.insert(entry.pid) }
        }
        var hasGrown = true
        while hasGrown {
            let next = table.filter { family.contains($0.parent) && $0.pid != own }.map(\.pid)
            hasGrown = !family.isSuperset(of: next)
            family.formUnion(next)
        }
        return family
    }
}
