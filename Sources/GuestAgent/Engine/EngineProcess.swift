// SPDX-License-Identifier: Apache-2.0

import CLinux
import Glibc

/// A handle on the engine's process that cannot be mistaken for another; closes its descriptor once.
final class EngineProcess: Sendable {
    let pid: Int32
    let startTime: UInt64
    /// Readable when the process ends.
    let descriptor: Int32

    private init(pid: Int32, startTime: UInt64, descriptor: Int32) {
        self.pid = pid
        self.startTime = startTime
        self.descriptor = descriptor
    }

    deinit { close(descriptor) }

    /// Takes over the process of a record; nil when it is gone, or the number belongs to another.
    static func adopt(_ record: EngineRecord) -> EngineProcess? {
        guard record.isAlive else { return nil }
        let descriptor = clinux_pidfd_open(record.pid)
        guard descriptor >= 0 else { return nil }
        // Checked again: the descriptor could be of a process that took the number in between.
        guard record.isAlive else {
            close(descriptor)
            return nil
        }
        return EngineProcess(pid: record.pid, startTime: record.startTime, descriptor: descriptor)
    }

    /// Starts the engine confined, in a session of its own. Blocks until it executes.
    ///
    /// - Parameter log: Given to the engine as its output; stays the caller's.
    /// - Throws: `.engineFailed` with the reason.
    static func spawn(
        _ launch: LaunchDocument, environment: [String: String], configuration: GuestConfiguration, log: Int32
    ) throws(GuestAgentError) -> EngineProcess {
        let groups = try openGroups(configuration.cgroupProcs)
        defer { for group in groups { close(group) } }
        var pid: pid_t = 0
        var descriptor: Int32 = -1
        let error = withCStrings(launch.argv) { argv in
            withCStrings(environment.map { "\($0.key)=\($0.value)" }.sorted()) { envp in
                groups.withUnsafeBufferPointer { groups in
                    var options = clinux_spawn()
                    options.argv = argv
                    options.envp = envp
                    options.stdin_fd = -1
                    options.stdout_fd = log
                    options.stderr_fd = log
                    options.cgroup_fds = groups.baseAddress
                    options.cgroup_count = groups.count
                    options.set_ids = configuration.setIDs ? 1 : 0
                    options.uid = configuration.uid
                    options.gid = configuration.gid
                    options.new_session = 1
                    return clinux_spawn_process(&options, &pid, &descriptor)
                }
            }
        }
        guard error == 0 else {
            throw GuestAgentError(
                .engineFailed, "cannot start '\(launch.argv.first ?? "")': \(String(cString: strerror(error)))")
        }
        var start: UInt64 = 0
        var state: CChar = 0
        _ = clinux_process_stat(pid, &start, &state)
        return EngineProcess(pid: pid, startTime: start, descriptor: descriptor)
    }

    /// False when the process is gone already.
    @discardableResult
    func signal(_ number: Int32) -> Bool { clinux_pidfd_signal(descriptor, number) == 0 }

    /// Ends the engine and everything in its cgroups or session, without asking.
    func kill(_ configuration: GuestConfiguration) {
        for path in configuration.cgroupKill {
            let file = open(path, O_WRONLY | O_CLOEXEC)
            guard file >= 0 else { continue }
            _ = FileAccess.writeAll(Array("1".utf8), to: file)
            close(file)
        }
        if signal(SIGKILL) { Glibc.kill(-pid, SIGKILL) }
        guard configuration.cgroupKill.isEmpty else { return }
        for path in configuration.cgroupProcs {
            for member in EngineOrphans.members(of: path) where member != getpid() { Glibc.kill(member, SIGKILL) }
        }
    }

    private static func openGroups(_ paths: [String]) throws(GuestAgentError) -> [Int32] {
        var opened: [Int32] = []
        for path in paths {
            let descriptor = open(path, O_WRONLY | O_CLOEXEC)
            guard descriptor >= 0 else {
                let failure = FileAccess.failure("open", path)
                for descriptor in opened { close(descriptor) }
                throw failure
            }
            opened.append(descriptor)
        }
        return opened
    }

    /// A NULL-terminated array of C strings that lives as long as the body.
    private static func withCStrings<Result>(
        _ texts: [String], _ body: (UnsafePointer<UnsafePointer<CChar>?>?) -> Result
    ) -> Result {
        let copies = texts.map { strdup($0) }
        defer { for copy in copies { free(copy) } }
        let pointers = copies.map { UnsafePointer<CChar>($0) } + [nil]
        return pointers.withUnsafeBufferPointer { body($0.baseAddress) }
    }
}
